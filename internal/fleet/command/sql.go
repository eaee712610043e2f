package command

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

const columns = `seq, id, organisation, device, kind, service, call, params, state, reason, note, result, origin, ref,
	qos, home, created_at, deadline_at, sent_at, acknowledged_at, ended_at`

// atOnce bounds what one look at the open commands reads.
const atOnce = 10_000

// The index is named: by its own choice the engine walks the whole table from seq on, ended commands and all.
const (
	dueSQL    = "SELECT seq, device FROM command INDEXED BY command_open_seq WHERE seq > ? AND state = 'accepted' AND ended_at IS NULL ORDER BY seq LIMIT ?"
	inWaitSQL = "SELECT DISTINCT device FROM command INDEXED BY command_open WHERE state = 'accepted' AND ended_at IS NULL LIMIT ?"
	waitsSQL  = "SELECT EXISTS (SELECT 1 FROM command WHERE device = ? AND state = 'accepted' AND ended_at IS NULL)"
	freshSQL  = "INDEXED BY command_open_seq WHERE seq > ? AND ended_at IS NULL ORDER BY seq LIMIT ?"
)

// newestIn reads the newest seq there is in the snapshot of q.
func newestIn(ctx context.Context, q store.Querier, seq *int64) error {
	if err := q.QueryRow(ctx, "SELECT COALESCE(MAX(seq), 0) FROM command").Scan(seq); err != nil {
		return fmt.Errorf("reading the newest command: %w", err)
	}
	return nil
}

// errMoved says that the command is not in the state the act starts from any more.
var errMoved = errors.New("somebody was faster")

type scanner interface{ Scan(dest ...any) error }

func scan(row scanner) (Command, error) {
	var c Command
	var params, result string
	var created, deadline int64
	var sent, acknowledged, ended sql.NullInt64
	err := row.Scan(&c.Seq, &c.ID, &c.Organisation, &c.Device, &c.Kind, &c.Service, &c.Call, &params, &c.State, &c.Reason, &c.Note, &result,
		&c.Origin, &c.Ref, &c.QoS, &c.Home, &created, &deadline, &sent, &acknowledged, &ended)
	if c.Kind == Message {
		c.Service, c.Topic = "", c.Service
	}
	c.Params, c.Result = json.RawMessage(params), json.RawMessage(result)
	c.CreatedAt, c.DeadlineAt = time.UnixMilli(created).UTC(), time.UnixMilli(deadline).UTC()
	c.SentAt, c.AcknowledgedAt, c.EndedAt = moment(sent), moment(acknowledged), moment(ended)
	return c, err
}

func moment(ms sql.NullInt64) time.Time {
	if !ms.Valid {
		return time.Time{}
	}
	return time.UnixMilli(ms.Int64).UTC()
}

func insert(ctx context.Context, tx *store.Tx, who access.Actor, c *Command) (int64, error) {
	var seq int64
	err := tx.QueryRow(ctx, `
		INSERT INTO command (id, organisation, device, kind, service, call, params, state, reason, note, result, origin, ref, home,
			actor_kind, actor, actor_from, epoch, created_at, deadline_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, '', '', '', ?, ?, ?, ?, ?, ?, 0, ?, ?)
		RETURNING seq`,
		c.ID, c.Organisation, c.Device, c.Kind, c.Service+c.Topic, c.Call, string(c.Params), c.State, c.Origin, c.Ref, c.Home,
		who.Kind, who.ID, who.From, c.CreatedAt.UnixMilli(), c.DeadlineAt.UnixMilli()).Scan(&seq)
	if err != nil {
		return 0, fmt.Errorf("writing a command for device %s: %w", c.Device, err)
	}
	return seq, nil
}

func query(ctx context.Context, q store.Querier, rest string, args ...any) ([]Command, error) {
	rows, err := q.Query(ctx, "SELECT "+columns+" FROM command "+rest, args...)
	if err != nil {
		return nil, fmt.Errorf("reading commands: %w", err)
	}
	defer rows.Close()
	var out []Command
	for rows.Next() {
		c, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("reading a command: %w", err)
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// waitingFor returns the devices for which commands wait, up to so many as are remembered.
func waitingFor(ctx context.Context, q store.Querier) (devices []string, err error) {
	rows, err := q.Query(ctx, inWaitSQL, maxRemembered)
	if err != nil {
		return nil, fmt.Errorf("reading for whom commands wait: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var device string
		if err := rows.Scan(&device); err != nil {
			return nil, fmt.Errorf("reading for whom commands wait: %w", err)
		}
		devices = append(devices, device)
	}
	return devices, rows.Err()
}

// open returns the commands of a device in one open state, oldest first.
func open(ctx context.Context, q store.Querier, device string, state State) ([]Command, error) {
	return query(ctx, q, "WHERE device = ? AND state = ? AND ended_at IS NULL ORDER BY seq LIMIT ?", device, state, MaxWaiting+1)
}

// open returns the Seq of every command that has not ended.
func (s *Commands) open(ctx context.Context) (map[int64]bool, error) {
	open := make(map[int64]bool)
	err := s.store.Read(ctx, func(v *store.View) error {
		rows, err := v.Query(ctx, "SELECT seq FROM command WHERE ended_at IS NULL")
		if err != nil {
			return fmt.Errorf("reading open commands: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var seq int64
			if err := rows.Scan(&seq); err != nil {
				return fmt.Errorf("reading open commands: %w", err)
			}
			open[seq] = true
		}
		return rows.Err()
	})
	return open, err
}

// load reads a command of who's organisation, or one that was asked for in the home of residents that who acts for.
func load(ctx context.Context, q store.Querier, who access.Actor, id string) (Command, error) {
	c, err := scan(q.QueryRow(ctx, "SELECT "+columns+" FROM command WHERE id = ? AND (organisation = ? OR home = ? AND home <> '')", id, who.Organisation, who.Organisation))
	if errors.Is(err, sql.ErrNoRows) {
		return c, fault.NotFound("command", id)
	}
	if err != nil {
		return c, fmt.Errorf("reading command %s: %w", id, err)
	}
	return c, nil
}

func list(ctx context.Context, q store.Querier, device string, before int64, limit int) ([]Command, error) {
	if before > 0 {
		return query(ctx, q, "WHERE device = ? AND seq < ? ORDER BY seq DESC LIMIT ?", device, before, limit)
	}
	return query(ctx, q, "WHERE device = ? ORDER BY seq DESC LIMIT ?", device, limit)
}

// end carries out an act that ends c, if c is still where the act starts from; otherwise errMoved.
func end(ctx context.Context, tx *store.Tx, c *Command, act Act, reason Reason, now time.Time) error {
	to, err := moves.Next(c.State, act, access.Actor{})
	if err != nil {
		return errMoved
	}
	res, err := tx.Exec(ctx, `
		UPDATE command SET state = ?, reason = ?, note = ?, result = ?, ended_at = ? WHERE seq = ? AND state = ?`,
		to, reason, c.Note, string(c.Result), now.UnixMilli(), c.Seq, c.State)
	if err != nil {
		return fmt.Errorf("ending command %s: %w", c.ID, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(errMoved, err)
	}
	c.State, c.Reason, c.EndedAt = to, reason, now.UTC()
	return nil
}
