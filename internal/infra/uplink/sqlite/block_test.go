package sqlite

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"testing"
	"time"

	"lampworks/internal/infra/uplink"
)

// sealed wraps bytes in a right sum, so that fuzzing gets behind it.
func sealed(b []byte) []byte {
	return binary.LittleEndian.AppendUint32(bytes.Clone(b), crc32.Checksum(b, castagnoli()))
}

// FuzzDecode: no bytes panic, take more memory than they have, or decode to
// records that encode to another meaning.
func FuzzDecode(f *testing.F) {
	b := block{at: 1_700_000_000_000}
	b.add(uplink.Record{At: time.UnixMilli(b.at), Kind: 1, Device: "d", Subject: "property/post", Body: []byte("{}")}, nil)
	b.add(uplink.Record{At: time.UnixMilli(5), Kind: 2}, nil)
	f.Add(b.data, 2)
	f.Add([]byte{0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, 1)
	f.Add([]byte{}, 1)
	f.Fuzz(func(t *testing.T, data []byte, count int) {
		records, err := decode(7, 1_700_000_000_000, count, sealed(data))
		if err != nil {
			return
		}
		if len(records) != count {
			t.Fatalf("%d records, want %d", len(records), count)
		}
		again := block{at: 1_700_000_000_000}
		total := 0
		for i, r := range records {
			if r.Pos != uplink.Position(7+i) {
				t.Fatalf("record %d has position %d", i, r.Pos)
			}
			total += len(r.Device) + len(r.Subject) + len(r.Body)
			again.add(r, nil)
		}
		if total > len(data) {
			t.Fatalf("%d bytes came out of %d", total, len(data))
		}
		again.seal(7)
		back, err := decode(7, 1_700_000_000_000, count, again.data)
		if err != nil {
			t.Fatal(err)
		}
		for i := range back {
			if !back[i].At.Equal(records[i].At) || back[i].Device != records[i].Device || !bytes.Equal(back[i].Body, records[i].Body) {
				t.Fatalf("record %d is %+v, then %+v", i, records[i], back[i])
			}
		}
	})
}

func TestBodiesOfASealedBlockAreSeparate(t *testing.T) {
	b := block{}
	for _, s := range []string{"one", "two", "three"} {
		b.add(uplink.Record{At: time.UnixMilli(1), Body: []byte(s)}, nil)
	}
	b.seal(1)
	_ = append(b.records[0].Body, "overwrites"...)
	if got := string(b.records[1].Body); got != "two" {
		t.Errorf("appending to one body changes the next to %q", got)
	}
}
