-- +goose Up
-- Who published a thing model stands there by id, as everywhere else: a login is a person's name, and goes with them.
DROP TRIGGER product_model_stays;
UPDATE product_model
SET published_by = COALESCE((SELECT u.id FROM account_user u WHERE u.login = product_model.published_by), '')
WHERE published_by <> '';

-- +goose StatementBegin
CREATE TRIGGER product_model_stays BEFORE UPDATE ON product_model
BEGIN
  SELECT RAISE(ABORT, 'a published thing model never changes');
END;
-- +goose StatementEnd

-- +goose Down
