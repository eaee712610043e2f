-- +goose Up
CREATE TABLE notice_announcement (
  id           TEXT    NOT NULL PRIMARY KEY,
  state        TEXT    NOT NULL,            -- draft, published, superseded, withdrawn
  severity     TEXT    NOT NULL,            -- info, warning, critical
  audience     TEXT    NOT NULL,            -- JSON object: everybody, kinds, organisations, services, roles
  supersedes   TEXT    NOT NULL,            -- id of the announcement it replaces, or empty
  created_at   INTEGER NOT NULL,
  published_at INTEGER NOT NULL,            -- shown from then on; 0 while a draft
  effective_at INTEGER NOT NULL,            -- what it announces happens then; 0: nothing happens
  ends_at      INTEGER NOT NULL,            -- not shown from then on, as its author wants it
  ended_at     INTEGER NOT NULL             -- superseded or withdrawn; 0 before
);
CREATE INDEX notice_announcement_state ON notice_announcement (state, id);
CREATE INDEX notice_announcement_shown ON notice_announcement (ends_at);

CREATE TABLE notice_text (
  announcement TEXT NOT NULL,
  lang         TEXT NOT NULL,
  title        TEXT NOT NULL,
  body         TEXT NOT NULL,               -- Markdown
  PRIMARY KEY (announcement, lang)
);

-- What a room tells one organisation or one of its people; the text is made from kind and data when it is read.
CREATE TABLE notice_message (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  user_id      TEXT    NOT NULL,            -- empty: everybody in the organisation
  kind         TEXT    NOT NULL,
  data         TEXT    NOT NULL,            -- JSON object of texts
  sent_at      INTEGER NOT NULL
);
CREATE INDEX notice_message_inbox ON notice_message (organisation, sent_at, id);
CREATE INDEX notice_message_sent ON notice_message (sent_at);
CREATE INDEX notice_message_user ON notice_message (user_id);

-- Who read what, and when.
CREATE TABLE notice_receipt (
  notice       TEXT    NOT NULL,            -- announcement or message
  user_id      TEXT    NOT NULL,
  organisation TEXT    NOT NULL,            -- the reader acted for; may be empty
  read_at      INTEGER NOT NULL,
  PRIMARY KEY (notice, user_id)
);
CREATE INDEX notice_receipt_user ON notice_receipt (user_id);
CREATE INDEX notice_receipt_organisation ON notice_receipt (organisation);

-- +goose StatementBegin
CREATE TRIGGER notice_text_stays BEFORE UPDATE ON notice_text
WHEN (SELECT state FROM notice_announcement WHERE id = OLD.announcement) <> 'draft'
BEGIN
  SELECT RAISE(ABORT, 'a published announcement is never changed');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER notice_text_kept BEFORE DELETE ON notice_text
WHEN (SELECT state FROM notice_announcement WHERE id = OLD.announcement) <> 'draft'
BEGIN
  SELECT RAISE(ABORT, 'a published announcement is never changed');
END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE notice_receipt;
DROP TABLE notice_message;
DROP TABLE notice_text;
DROP TABLE notice_announcement;
