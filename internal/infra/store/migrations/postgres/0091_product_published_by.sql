-- +goose Up
-- Who published a thing model stands there by id, as everywhere else: a login is a person's name, and goes with them.
DROP TRIGGER product_model_stays ON product_model;
UPDATE product_model
SET published_by = COALESCE((SELECT u.id FROM account_user u WHERE u.login = product_model.published_by), '')
WHERE published_by <> '';
CREATE TRIGGER product_model_stays BEFORE UPDATE ON product_model
FOR EACH ROW EXECUTE FUNCTION product_model_stays();

-- +goose Down
