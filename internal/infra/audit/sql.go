package audit

import (
	"strings"
	"unicode/utf8"
)

const insertEntry = `
INSERT INTO audit_entry (id, at, organisation, actor_kind, actor, actor_user, actor_login, actor_from, act, object, note)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

const selectEntries = `
SELECT seq, id, at, organisation, actor_kind, actor, actor_user, actor_login, actor_from, act, object, note
FROM audit_entry
WHERE organisation = ?
  AND seq < ?
  AND (? = '' OR act = ?)
  AND (? = '' OR object = ?)
  AND (? = '' OR actor = ?)
ORDER BY seq DESC
LIMIT ?`

// cut shortens s to at most most bytes, ending on a whole character.
func cut(s string, most int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}
