/** Django's tags in Liquid, for the guide: what `djangoToLiquid` does. */

export const djangoTags: readonly {
  readonly django: string;
  /** Absent: there is no counterpart, and the tag is left out. */
  readonly liquid?: string;
  readonly note?: string;
}[] = [
  { django: "{{ a.b }}", liquid: "{{ a.b }}" },
  { django: "{{ a.0 }}", liquid: "{{ a.0 }}" },
  { django: "{# note #}", liquid: "{% comment %} note {% endcomment %}" },
  {
    django: "{% if a %}",
    liquid: "{% if a != blank %}",
    note: "0 is true in Liquid",
  },
  { django: "{% if not a %}", liquid: "{% if a == blank %}" },
  {
    django: "{% if a == b and c > 1 %}",
    liquid: "{% if a == b and c > 1 %}",
    note: "and before or is evaluated from the right",
  },
  { django: "{% if a in b %}", liquid: "{% if b contains a %}" },
  {
    django: "{% if a|length > 1 %}",
    liquid: "{% assign value_1 = a | size %}{% if value_1 > 1 %}",
  },
  { django: "{% elif a == b %}", liquid: "{% elsif a == b %}" },
  { django: "{% else %}", liquid: "{% else %}" },
  { django: "{% endif %}", liquid: "{% endif %}" },
  {
    django: "{% for a in b %}",
    liquid: "{% for a in b %}",
    note: "of an object, a is a pair: a[0] is its key, a[1] its value",
  },
  {
    django: "{% for a in b reversed %}",
    liquid: "{% for a in b reversed %}",
  },
  {
    django: "{% for k, v in a.items %}",
    liquid:
      "{% for pair_1 in a %}{% assign k = pair_1[0] %}{% assign v = pair_1[1] %}",
  },
  {
    django: "{% for k in a.keys %}",
    liquid: "{% for pair_1 in a %}{% assign k = pair_1[0] %}",
  },
  {
    django: "{% for v in a.values %}",
    liquid: "{% for pair_1 in a %}{% assign v = pair_1[1] %}",
  },
  { django: "{% empty %}", liquid: "{% else %}" },
  { django: "{% endfor %}", liquid: "{% endfor %}" },
  { django: "{{ forloop.counter }}", liquid: "{{ forloop.index }}" },
  { django: "{{ forloop.counter0 }}", liquid: "{{ forloop.index0 }}" },
  { django: "{{ forloop.revcounter }}", liquid: "{{ forloop.rindex }}" },
  { django: "{{ forloop.revcounter0 }}", liquid: "{{ forloop.rindex0 }}" },
  {
    django: "{% with a=b %}",
    liquid: "{% assign a = b %}",
    note: "the variable stays behind endwith",
  },
  { django: "{% endwith %}", liquid: "" },
  { django: "{% comment %}", liquid: "{% comment %}" },
  { django: "{% endcomment %}", liquid: "{% endcomment %}" },
  { django: "{% verbatim %}", liquid: "{% raw %}" },
  { django: "{% endverbatim %}", liquid: "{% endraw %}" },
  { django: '{% trans "text" %}', liquid: "text" },
  { django: '{% translate "text" %}', liquid: "text" },
  { django: '{% trans "text" as a %}', liquid: '{% assign a = "text" %}' },
  { django: "{% blocktrans %}", liquid: "", note: "its text stays" },
  {
    django: "{% blocktrans count n=a %}",
    liquid: "{% assign n = a %}{% if n == 1 %}",
    note: "and else for plural, endif at its end",
  },
  { django: "{% endblocktrans %}", liquid: "" },
  { django: '{% now "Y" %}', liquid: '{{ "now" | date: "%Y" }}' },
  {
    django: '{% now "Y" as a %}',
    liquid: '{% assign a = "now" | date: "%Y" %}',
  },
  { django: "{% firstof a b %}", liquid: "{{ a | default: b }}" },
  { django: "{% cycle 'a' 'b' %}", liquid: "{% cycle 'a', 'b' %}" },
  {
    django: "{% firstof a b as c %}",
    liquid: "{% assign c = a | default: b %}",
  },
  { django: "{% get_or_raise a %}", liquid: "{{ a | required }}" },
  { django: "{% load x %}", liquid: "" },
  { django: "{% spaceless %}", liquid: "" },
  { django: "{% endspaceless %}", liquid: "" },
  { django: "{% autoescape on %}", liquid: "" },
  { django: "{% endautoescape %}", liquid: "" },
  { django: "{% autoescape off %}", note: "use raw in each output" },
  { django: "{% plural %}", note: "only within blocktrans count" },
  { django: "{% cycle a b as c %}", note: "repeat its values" },
  {
    django: "{{ forloop.parentloop }}",
    note: "as items, keys, values outside of for, and other methods: give the value in the context",
  },
  { django: '{% include "x" %}', note: "put the text in its place" },
  { django: '{% extends "x" %}', note: "use a base template" },
  { django: "{% block x %}", note: "use a base template" },
  { django: "{% endblock %}" },
  { django: "{% url x %}", note: "give the URL in the context" },
  { django: "{% static x %}", note: "give the URL in the context" },
  { django: "{% csrf_token %}" },
  { django: "{% ifchanged %}" },
  { django: "{% regroup a by b as c %}", note: "use group_by" },
  { django: "{% widthratio a b c %}", note: "use divided_by and times" },
  { django: "{% filter x %}", note: "use capture" },
  { django: "{% lorem %}" },
  { django: "{% debug %}" },
  { django: "{% templatetag openblock %}", note: "use raw" },
];
