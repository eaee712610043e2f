-- +goose Up
-- What an edit may be held to: grows with each change of what others see.
ALTER TABLE account_user ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE organisation ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE member ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE account_invitation ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;

CREATE INDEX account_user_state ON account_user (state, id);
CREATE INDEX account_user_state_login ON account_user (state, login_key, id);
CREATE INDEX account_user_role ON account_user (platform_role, id);
CREATE INDEX account_user_role_login ON account_user (platform_role, login_key, id);

-- Members are listed by login within their organisation.
ALTER TABLE member ADD COLUMN login_key TEXT NOT NULL DEFAULT ''; -- as the user has it
UPDATE member SET login_key = COALESCE((SELECT u.login_key FROM account_user u WHERE u.id = member.user_id), 'none');
CREATE INDEX member_login ON member (organisation, login_key, user_id);
CREATE INDEX member_since ON member (organisation, created_at, user_id);
CREATE INDEX member_of ON member (user_id, organisation);

-- Organisations as the operator lists them: a row for each language and each combination of kind and form they are found by.
CREATE TABLE organisation_listed (
  facet        TEXT NOT NULL,               -- empty: all; "kind:K", "form:F", "kind:K form:F"
  lang         TEXT NOT NULL,               -- zh-CN, en
  organisation TEXT NOT NULL,
  name         TEXT NOT NULL,               -- folded, in the language or, where it has none, in the other
  PRIMARY KEY (facet, lang, organisation)
) WITHOUT ROWID;
CREATE INDEX organisation_listed_name ON organisation_listed (facet, lang, name, organisation);
CREATE INDEX organisation_listed_organisation ON organisation_listed (organisation);

CREATE INDEX account_invitation_state ON account_invitation (organisation, state, id);
CREATE INDEX account_invitation_role ON account_invitation (organisation, role, id);
CREATE INDEX account_invitation_state_role ON account_invitation (organisation, state, role, id);

CREATE INDEX api_token_owner ON api_token (user_id, organisation, id);
CREATE INDEX api_token_name ON api_token (user_id, organisation, name, id);
CREATE INDEX api_token_expires ON api_token (user_id, organisation, expires_at, id);

-- +goose Down
DROP INDEX api_token_expires;
DROP INDEX api_token_name;
DROP INDEX api_token_owner;
DROP INDEX account_invitation_state_role;
DROP INDEX account_invitation_role;
DROP INDEX account_invitation_state;
DROP TABLE organisation_listed;
DROP INDEX member_of;
DROP INDEX member_since;
DROP INDEX member_login;
ALTER TABLE member DROP COLUMN login_key;
DROP INDEX account_user_role_login;
DROP INDEX account_user_role;
DROP INDEX account_user_state_login;
DROP INDEX account_user_state;
ALTER TABLE account_invitation DROP COLUMN revision;
ALTER TABLE member DROP COLUMN revision;
ALTER TABLE organisation DROP COLUMN revision;
ALTER TABLE account_user DROP COLUMN revision;
