package product

import (
	"bytes"
	"context"
	"io/fs"
	"strings"
	"testing"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/migrations"
	"lampworks/internal/infra/store/storetest"
	"lampworks/internal/partner/certify"
)

func TestProtocols(t *testing.T) {
	all, err := Protocols()
	if err != nil || len(all) == 0 {
		t.Fatal(all, err)
	}
	seen := make(map[string]bool)
	for _, p := range all {
		if seen[p.Name] || p.Name == "" {
			t.Errorf("%q stands there twice, or has no name", p.Name)
		}
		seen[p.Name] = true
		bilingual(t, p.Name, p.Names)
		bilingual(t, p.Name, p.About)
	}
	if !seen[own] {
		t.Errorf("%s is none of them", own)
	}
}

// A product speaks what it names, or else what that speaks which it is built on; and it names nothing else.
func TestProtocolsComeFromBelow(t *testing.T) {
	r := newTrade(t)
	ctx := t.Context()
	chip, _ := r.chip() // mqtt, ble_mesh
	module, _ := r.offered(r.mods, NewProduct{Kind: Module, BuiltOn: chip.ID})
	narrow, _ := r.offered(r.mods, NewProduct{Kind: Module, BuiltOn: chip.ID, Protocols: []string{"ble_mesh"}})
	solution, _ := r.offered(r.mods, NewProduct{Kind: Solution, BuiltOn: narrow.ID})
	terminal := func(n NewProduct) string {
		n.Category = "light"
		return r.make(r.maker, n).ID
	}
	for _, tt := range []struct{ what, id, want string }{
		{"a chip", chip.ID, "device_access_wifi device_access_mesh"},
		{"a module", module.ID, "device_access_wifi device_access_mesh"},
		{"a module for one protocol", narrow.ID, "device_access_mesh"},
		{"a terminal on nothing", terminal(NewProduct{}), "device_access_wifi"},
		{"a terminal on nothing yet, for GATT", terminal(NewProduct{Protocols: []string{"ble_gatt", "ble_broadcast"}}), "device_access_ble"},
		{"a terminal on it", terminal(NewProduct{BuiltOn: narrow.ID}), "device_access_mesh"},
		{"a terminal on one with a solution on another", terminal(NewProduct{BuiltOn: module.ID, Solution: solution.ID}), "device_access_wifi device_access_mesh"},
		{"a terminal for one protocol", terminal(NewProduct{BuiltOn: module.ID, Protocols: []string{"mqtt"}}), "device_access_wifi"},
		{"a device of another cloud", terminal(NewProduct{Protocols: []string{"cloud"}}), ""},
	} {
		var got []string
		r.must(r.store.Read(ctx, func(v *store.View) (err error) {
			got, err = r.Services(ctx, v, tt.id)
			return err
		}))
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s needs %v, want %s", tt.what, got, tt.want)
		}
	}
	lamp := terminal(NewProduct{Protocols: []string{"mqtt"}})
	for _, tt := range []struct {
		change Change
		want   string
	}{
		{Change{BuiltOn: &narrow.ID}, "invalid: /protocols/0 is mqtt, want one of ble_mesh"},
		{Change{BuiltOn: &module.ID}, ""},
		{Change{BuiltOn: &narrow.ID, Protocols: &[]string{}}, ""},
		{Change{Protocols: &[]string{"ble_mesh", "ble_gatt"}}, "invalid: /protocols/1 is ble_gatt, want one of ble_mesh"},
		{Change{Protocols: &[]string{"zigbee"}}, "invalid: /protocols/0 is zigbee, want one of mqtt, ble_combo, sub_device, ble_mesh, ble_gatt, ble_broadcast, cloud"},
	} {
		if _, err := r.Set(ctx, r.maker, lamp, tt.change); text(err) != tt.want {
			t.Errorf("%+v\n got %s\nwant %s", tt.change, text(err), tt.want)
		}
	}
	page, err := r.Catalogue(ctx, r.maker, listing.Ask{Filters: map[string]string{ByKind: "module"}})
	r.must(err)
	var offered []string
	for _, o := range page.Items {
		offered = append(offered, strings.Join(o.Protocols, " "))
	}
	if got, want := strings.Join(offered, ", "), "mqtt ble_mesh, ble_mesh"; got != want {
		t.Errorf("modules are offered for %s, want %s", got, want)
	}
	_, err = r.OpenCase(ctx, r.mods, module.ID, certify.Covers{Protocols: []string{"mesh"}})
	if want := "invalid: /covers/protocols/0 is mesh, want one of mqtt, ble_combo, sub_device, ble_mesh, ble_gatt, ble_broadcast, cloud"; text(err) != want {
		t.Errorf("certifying it for what there is none of\n got %s\nwant %s", text(err), want)
	}
	_, err = r.OpenCase(ctx, r.mods, narrow.ID, certify.Covers{Protocols: []string{"ble_mesh", "mqtt"}})
	if want := "invalid: /covers/protocols/1 is mqtt, want one of ble_mesh"; text(err) != want {
		t.Errorf("certifying it for what it does not speak\n got %s\nwant %s", text(err), want)
	}
	_, err = r.Set(ctx, r.mods, narrow.ID, Change{Names: Names{"en": "Narrow"}})
	if want := "invalid: /names is one language, want names in zh-CN and en of a product that is published"; text(err) != want {
		t.Errorf("taking a name off the shelf\n got %s\nwant %s", text(err), want)
	}
}

// A product is not published, and not mass-produced, by an organisation that lacks a service of its protocols.
func TestPublicationNeedsTheServices(t *testing.T) {
	r := newTrade(t)
	closed := map[string]bool{"device_access_mesh": true, "device_access_ble": true}
	parts := r.Parts
	parts.Enter = func(_ context.Context, _ store.Querier, organisation, service string) error {
		if organisation != "chips" || !closed[service] {
			return nil
		}
		f := fault.Forbidden("service "+service, "an application")
		f.Fix = "apply for it"
		return f
	}
	r.With(parts)
	chip := r.make(r.chips, NewProduct{Kind: Chip, Protocols: []string{"mqtt", "ble_mesh", "ble_gatt"}})
	r.move(r.chips, chip.ID, Develop, Debug, Certify)
	r.certifies(r.chips, chip.ID)
	_, err := r.SetIcon(t.Context(), r.chips, chip.ID, icon(t, 128, 128))
	r.must(err)
	want := "publish waits: one thing is missing: service device_access_mesh is not allowed: it needs an application; service device_access_ble is not allowed: it needs an application"
	_, err = r.Move(t.Context(), r.chips, chip.ID, Publish, "")
	if f := fault.Of(err); f == nil || f.What != want || codes(err) != "service" || f.Fix != "apply for it" {
		t.Errorf("got %+v\nwant %s", f, want)
	}
	closed["device_access_ble"] = false
	if _, err := r.Move(t.Context(), r.chips, chip.ID, Publish, ""); strings.Contains(text(err), "device_access_ble") || codes(err) != "service" {
		t.Errorf("with one of them open: %s", text(err))
	}
	closed["device_access_mesh"] = false
	r.move(r.chips, chip.ID, Publish)
	closed["device_access_mesh"] = true
	if _, err := r.Move(t.Context(), r.chips, chip.ID, Produce, ""); codes(err) != "service" {
		t.Errorf("mass production: %s", text(err))
	}
}

// Words from before there was a catalogue get the names that it has for them, and others stay.
func TestProtocolsAreRenamed(t *testing.T) {
	r := newTrade(t)
	ctx := t.Context()
	chip := r.make(r.chips, NewProduct{Kind: Chip})
	dialect, steps := "sqlite", fs.FS(migrations.SQLite)
	if storetest.Postgres() {
		dialect, steps = "postgres", migrations.Postgres
	}
	step, err := fs.ReadFile(steps, dialect+"/0160_product_protocols.sql")
	r.must(err)
	step, _, _ = bytes.Cut(step, []byte("-- +goose Down"))
	for _, tt := range []struct{ was, want, needs string }{
		{`[]`, "", "device_access_wifi"},
		{`["mqtt","ble_mesh"]`, "mqtt ble_mesh", "device_access_wifi device_access_mesh"},
		{`["bt-mesh","wifi","mqtt","gatt","mesh"]`, "ble_mesh mqtt ble_gatt", "device_access_mesh device_access_wifi device_access_ble"},
		{`["zigbee"]`, "zigbee", "device_access_wifi"},
	} {
		r.must(r.store.Write(ctx, func(tx *store.Tx) error {
			if _, err := tx.Exec(ctx, "UPDATE product SET protocols = ? WHERE id = ?", tt.was, chip.ID); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, string(step))
			return err
		}))
		if got := strings.Join(r.load(r.chips, chip.ID).Protocols, " "); got != tt.want {
			t.Errorf("%s becomes %s, want %s", tt.was, got, tt.want)
		}
		var needs []string
		r.must(r.store.Read(ctx, func(v *store.View) (err error) {
			needs, err = r.Services(ctx, v, chip.ID)
			return err
		}))
		if got := strings.Join(needs, " "); got != tt.needs {
			t.Errorf("%s needs %s, want %s", tt.was, got, tt.needs)
		}
	}
}
