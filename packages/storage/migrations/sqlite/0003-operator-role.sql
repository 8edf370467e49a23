-- The administrator of the first start acts on all domains from now on, other
-- administrators on their own.
UPDATE users
SET role = 'operator'
WHERE id = (
  SELECT json_extract(value, '$.userId')
  FROM settings
  WHERE name = 'identity.bootstrap'
);
