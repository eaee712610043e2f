package outbox

const (
	insertSQL = `
		INSERT INTO outbox_message (id, kind, recipient, subject, body, organisation, about, share, room, made_at, expires_at, due_at, tries, state, ended_at, error)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 'waiting', 0, '')`

	dueSQL = `
		SELECT id, recipient, subject, body, organisation, expires_at, tries
		FROM outbox_message
		WHERE state = 'waiting' AND kind = ? AND (due_at <= ? OR due_at > ?)
		ORDER BY due_at, id
		LIMIT ?`

	// The text is forgotten with the end.
	endSQL = `
		UPDATE outbox_message
		SET tries = ?, state = ?, ended_at = ?, error = ?, body = ''
		WHERE id = ? AND state = 'waiting'`

	sweepSQL = `
		DELETE FROM outbox_message
		WHERE id IN (
			SELECT id FROM outbox_message
			WHERE ended_at > 0 AND ended_at < ?
			LIMIT 1000)`
)
