package issuance

import (
	"testing"

	"lampworks/internal/infra/store"
	"lampworks/internal/partner/quota"
)

// erase deletes a subject to its end.
func (w *works) erase(t testing.TB, kind, id string) {
	t.Helper()
	calls := 0
	for more := true; more; calls++ {
		err := w.store.Write(t.Context(), func(tx *store.Tx) (err error) {
			more, err = w.Erase(t.Context(), tx, kind, id, 2)
			return err
		})
		if err != nil || calls > 50 {
			t.Fatal(err, calls)
		}
	}
}

// recounted holds the stocks of the maker and the product against their rows.
func (w *works) recounted(t testing.TB) {
	t.Helper()
	q := quota.New(quota.Config{Store: w.store, Counts: Counts()})
	for _, of := range []quota.Subject{quota.Organisation("lamps"), quota.Product(w.product.ID, "lamps")} {
		all, err := q.Recount(t.Context(), operator, of)
		if err != nil || len(all) == 0 {
			t.Fatalf("%+v, %v", all, err)
		}
		for _, r := range all {
			if r.Corrected {
				t.Errorf("%s of %s was %d, but there are %d", r.Limit, r.Subject, r.Was, r.Is)
			}
		}
	}
}

// An order that is deleted before it ended ends as a cancelled one does: its list is free, its limits are given back, and no
// table but its own names it.
func TestEraseOpenOrders(t *testing.T) {
	for _, kind := range []string{"batch", "product", "organisation"} {
		t.Run(kind, func(t *testing.T) {
			w := newWorks(t)
			stop := w.run(t)
			w.wait(t, w.request(t, 3))
			l := w.bring(t, "78da07000001\n78da07000002\n78da07000003\n")
			want := w.mass(2)
			want.List = l.ID
			listed, err := w.Request(t.Context(), maker, want)
			if err != nil {
				t.Fatal(err)
			}
			stop() // so that what is approved stays open
			pooled := w.request(t, 5)
			before := w.text(t, "SELECT next FROM mac_pool LIMIT 1")
			switch kind {
			case "batch":
				w.erase(t, kind, listed.ID)
				w.recounted(t)
				w.erase(t, kind, pooled.ID)
			case "product":
				w.erase(t, kind, w.product.ID)
			case "organisation":
				w.erase(t, kind, "lamps")
			}
			if n := w.count(t, "mac_list WHERE batch <> ''"); n != 0 {
				t.Errorf("%d lists still name an order", n)
			}
			if got := w.text(t, "SELECT used FROM mac_list"); got != "0" {
				t.Errorf("%s addresses of the list were not given back", got)
			}
			if after := w.text(t, "SELECT next FROM mac_pool LIMIT 1"); after == before {
				t.Errorf("the pool still goes on at %s", after)
			}
			if n := w.count(t, "issuance_order WHERE ended_at IS NULL"); n != 0 {
				t.Errorf("%d orders are open", n)
			}
			if n := w.count(t, "job WHERE id = '"+pooled.Job+"' AND cancel = 1"); n != 1 {
				t.Error("the job of the order goes on")
			}
			w.recounted(t)
			if kind == "organisation" {
				return
			}
			if l, err = w.LoadList(t.Context(), maker, l.ID); err != nil || l.Order != "" || l.Left != 3 {
				t.Errorf("the list afterwards: %+v, %v", l, err)
			}
		})
	}
}

// A list that an order took along when it was deleted by an earlier version is freed by the next deletion.
func TestEraseFreesLists(t *testing.T) {
	w := newWorks(t)
	w.run(t)
	l := w.bring(t, "78da07000001\n")
	o := w.wait(t, w.request(t, 1))
	w.erase(t, "batch", o.ID)
	w.exec(t, "UPDATE mac_list SET batch = '"+o.ID+"'")
	w.erase(t, "batch", o.ID)
	if l, err := w.LoadList(t.Context(), maker, l.ID); err != nil || l.Order != "" {
		t.Errorf("%+v, %v", l, err)
	}
}
