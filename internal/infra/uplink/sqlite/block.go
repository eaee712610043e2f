package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"lampworks/internal/infra/uplink"
)

// A block is what one row of the file holds: records that were appended one after
// the other, and committed together. One row for many records costs SQLite a tenth
// of one row each.
//
// The bytes of a record are, one after the other: varint milliseconds since the
// block's time, byte kind, then device, subject and body, each after its length as
// uvarint. The CRC-32C of all stands at the end, four bytes, little-endian.
type block struct {
	first   uplink.Position
	at      int64 // Unix milliseconds when its first record came
	data    []byte
	records []uplink.Record // Pos and Body are set when the block is sealed
	bodies  []int           // where each body begins in data
	done    []func(uplink.Position, error)
	err     error // why its commit failed
}

// maxBlock is the size in bytes at which a block takes no further record; one
// record alone may be larger.
const maxBlock = 64 << 10

// maxPerBlock is the most records of a block.
const maxPerBlock = 1024

const crcSize = 4

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) } // the library keeps it

// fits says whether r may join the block.
func (b *block) fits(r *uplink.Record) bool {
	return len(b.records) < maxPerBlock && len(b.data)+r.Size() <= maxBlock
}

// add appends r. The strings of r are kept, its body is copied.
func (b *block) add(r uplink.Record, done func(uplink.Position, error)) {
	ms := r.At.UnixMilli()
	b.data = binary.AppendVarint(b.data, ms-b.at)
	b.data = append(b.data, byte(r.Kind))
	b.data = binary.AppendUvarint(b.data, uint64(len(r.Device)))
	b.data = append(b.data, r.Device...)
	b.data = binary.AppendUvarint(b.data, uint64(len(r.Subject)))
	b.data = append(b.data, r.Subject...)
	b.data = binary.AppendUvarint(b.data, uint64(len(r.Body)))
	b.bodies = append(b.bodies, len(b.data))
	b.data = append(b.data, r.Body...)
	r.At = time.UnixMilli(ms).UTC()
	b.records = append(b.records, r)
	b.done = append(b.done, done)
}

// seal gives the records their positions and bodies and ends the data with its sum.
func (b *block) seal(first uplink.Position) {
	b.first = first
	b.data = binary.LittleEndian.AppendUint32(b.data, crc32.Checksum(b.data, castagnoli()))
	for i := range b.records {
		r := &b.records[i]
		r.Pos = first + uplink.Position(i)
		end := b.bodies[i] + len(r.Body)
		r.Body = b.data[b.bodies[i]:end:end]
	}
	b.bodies = nil
}

// last is the position of the newest record.
func (b *block) last() uplink.Position { return b.first + uplink.Position(len(b.records)) - 1 }

// size is what the block costs in memory, about.
func (b *block) size() int { return cap(b.data) + cap(b.records)*96 }

var errDamaged = errors.New("the sum of its bytes is wrong")

// decode reads the records of a row, which keep data. The count is the row's.
func decode(first uplink.Position, at int64, count int, data []byte) ([]uplink.Record, error) {
	if len(data) < crcSize || count < 1 || count > len(data) {
		return nil, errDamaged
	}
	body, sum := data[:len(data)-crcSize], data[len(data)-crcSize:]
	if crc32.Checksum(body, castagnoli()) != binary.LittleEndian.Uint32(sum) {
		return nil, errDamaged
	}
	records := make([]uplink.Record, 0, count)
	d := decoder{rest: body}
	for len(d.rest) > 0 && !d.bad {
		r := uplink.Record{Pos: first + uplink.Position(len(records))}
		r.At = time.UnixMilli(at + d.varint()).UTC()
		r.Kind = uplink.Kind(d.byte())
		r.Device = string(d.bytes())
		r.Subject = string(d.bytes())
		r.Body = d.bytes()
		records = append(records, r)
	}
	if d.bad || len(records) != count {
		return nil, fmt.Errorf("it has %d of %d records: %w", len(records), count, errDamaged)
	}
	return records, nil
}

// A decoder takes values from the front of rest. Once bad it gives zeros.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) fail() {
	d.bad, d.rest = true, nil
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.rest)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) byte() byte {
	if len(d.rest) == 0 {
		d.fail()
		return 0
	}
	b := d.rest[0]
	d.rest = d.rest[1:]
	return b
}

func (d *decoder) bytes() []byte {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 || v > uint64(len(d.rest)-n) {
		d.fail()
		return nil
	}
	end := n + int(v)
	b := d.rest[n:end:end]
	d.rest = d.rest[end:]
	return b
}
