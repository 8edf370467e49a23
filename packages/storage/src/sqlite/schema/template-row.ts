/** A message template as it stands in its table. */

/** Columns of {@link TemplateSummaryRow}. */
export const templateSummaryColumns = `templates.seq, templates.id,
  templates.project_id, templates.name, templates.protocol,
  templates.tag_names, templates.created_at, templates.updated_at`;

/** Columns of {@link TemplateRow}. */
export const templateColumns = `${templateSummaryColumns}, templates.content`;

export type TemplateSummaryRow = readonly [
  seq: number,
  id: string,
  projectId: string,
  name: string,
  protocol: string,
  tagNames: string,
  createdAt: number,
  updatedAt: number,
];

export type TemplateRow = readonly [...TemplateSummaryRow, content: string];
