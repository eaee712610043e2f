package resident

const (
	// The holder of a contact, and whether they signed in from a place: one statement, so that a contact that is held costs no
	// more than one that is not.
	askerSQL = `
		SELECT COALESCE(MAX(r.id), ''), COALESCE(MAX(r.lang), ''), COUNT(p.resident)
		FROM resident r
		LEFT JOIN resident_place p ON p.resident = r.id AND p.place = ?
		WHERE r.kind = ? AND r.address = ?`

	sentCodesSQL = `
		SELECT COUNT(*), COALESCE(MAX(made_at), 0)
		FROM resident_code
		WHERE kind = ? AND address = ? AND known = ? AND made_at > ? AND made_at <= ?`

	goodCodesSQL = `
		SELECT id, hash
		FROM resident_code
		WHERE kind = ? AND address = ? AND expires_at > ? AND expires_at <= ?`

	insertCodeSQL = `
		INSERT INTO resident_code (id, kind, address, known, hash, made_at, expires_at)
		VALUES (?, ?, ?, ?, ?, ?, ?)`

	insertSessionSQL = `
		INSERT INTO resident_session (id, hash, resident, place, agent, created_at, used_at)
		VALUES (?, ?, ?, ?, ?, ?, ?)`

	// The oldest sessions of a resident beyond the newest few.
	trimSessionsSQL = `
		DELETE FROM resident_session
		WHERE id IN (
			SELECT id FROM resident_session
			WHERE resident = ?
			ORDER BY created_at DESC, id DESC
			LIMIT 1000 OFFSET ?)`

	endOthersSQL = `
		DELETE FROM resident_session
		WHERE resident = ? AND id <> ?`

	putPlaceSQL = `
		INSERT INTO resident_place (resident, place, seen_at)
		VALUES (?, ?, ?)
		ON CONFLICT (resident, place) DO UPDATE
		SET seen_at = excluded.seen_at`

	trimPlacesSQL = `
		DELETE FROM resident_place
		WHERE resident = ? AND place IN (
			SELECT place FROM resident_place
			WHERE resident = ?
			ORDER BY seen_at DESC, place
			LIMIT 1000 OFFSET ?)`

	sessionsSQL = `
		SELECT id, place, agent, created_at, used_at
		FROM resident_session
		WHERE resident = ? AND used_at > ?
		ORDER BY created_at DESC, id DESC
		LIMIT ?`

	sweepSessionsSQL = `
		DELETE FROM resident_session
		WHERE id IN (
			SELECT id FROM resident_session
			WHERE used_at < ?
			LIMIT 1000)`

	sweepCodesSQL = `
		DELETE FROM resident_code
		WHERE id IN (
			SELECT id FROM resident_code
			WHERE made_at < ?
			LIMIT 1000)`
)
