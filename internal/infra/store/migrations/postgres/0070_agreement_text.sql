-- +goose Up
CREATE TABLE agreement (
  id         TEXT    NOT NULL PRIMARY KEY,
  precedence BIGINT  NOT NULL,              -- the lower number prevails over the higher
  names      TEXT    NOT NULL,              -- JSON object: language to name
  prevails   TEXT    NOT NULL,              -- JSON object: language to the sentence that says which one prevails
  subject    TEXT    NOT NULL,              -- who has to accept: user, organisation, product
  kinds      TEXT    NOT NULL,              -- JSON array: organisations of these kinds only; [] is all
  categories TEXT    NOT NULL,              -- JSON array: products of these categories only; [] is all
  created_at BIGINT  NOT NULL
);
CREATE UNIQUE INDEX agreement_precedence ON agreement (precedence, id);

CREATE TABLE agreement_version (
  id           TEXT    NOT NULL PRIMARY KEY,
  agreement    TEXT    NOT NULL,
  number       BIGINT  NOT NULL,            -- 1, 2, 3 … of the agreement
  state        TEXT    NOT NULL,            -- draft, published, superseded, withdrawn
  created_at   BIGINT  NOT NULL,
  published_at BIGINT  NOT NULL,            -- 0 while a draft
  effective_at BIGINT  NOT NULL,            -- 0 while a draft
  ended_at     BIGINT  NOT NULL             -- superseded or withdrawn; 0 before
);
CREATE UNIQUE INDEX agreement_version_number ON agreement_version (agreement, number);
CREATE UNIQUE INDEX agreement_version_draft ON agreement_version (agreement) WHERE state = 'draft';
CREATE INDEX agreement_version_state ON agreement_version (state, effective_at);

-- One text in one language. What was published is never changed.
CREATE TABLE agreement_text (
  version TEXT NOT NULL,
  lang    TEXT NOT NULL,
  body    TEXT NOT NULL,                    -- Markdown
  changes TEXT NOT NULL,                    -- summary of what differs from the version before
  hash    TEXT NOT NULL,                    -- SHA-256 of body, hexadecimal
  PRIMARY KEY (version, lang)
);

-- +goose StatementBegin
CREATE FUNCTION agreement_text_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT state FROM agreement_version WHERE id = OLD.version) <> 'draft' THEN
    RAISE EXCEPTION 'a published text is never changed';
  END IF;
  RETURN NEW;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER agreement_text_stays BEFORE UPDATE ON agreement_text FOR EACH ROW EXECUTE FUNCTION agreement_text_stays();
-- +goose StatementBegin
CREATE FUNCTION agreement_text_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT state FROM agreement_version WHERE id = OLD.version) <> 'draft' THEN
    RAISE EXCEPTION 'a published text is never changed';
  END IF;
  RETURN OLD;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER agreement_text_kept BEFORE DELETE ON agreement_text FOR EACH ROW EXECUTE FUNCTION agreement_text_kept();

-- +goose Down
DROP TABLE agreement_text;
DROP TABLE agreement_version;
DROP TABLE agreement;
DROP FUNCTION agreement_text_stays();
DROP FUNCTION agreement_text_kept();
