package main

import (
	"fmt"
	"os"
	"time"

	"lampworks/alink"
	"lampworks/triple"
)

type tripleCommand struct {
	Show     tripleShow     `cmd:"" help:"Print what follows from a triple: names, keys and how the device signs in."`
	Workbook tripleWorkbook `cmd:"" help:"Check a workbook of triples and count its rows."`
}

type tripleShow struct {
	Triple     string `arg:"" help:"PRODUCT_ID,MAC,SECRET"`
	ProductKey string `help:"ProductKey, if the product was brought from elsewhere." placeholder:"KEY"`
}

func (s *tripleShow) Run() error {
	t, err := triple.Parse(s.Triple)
	if err != nil {
		return err
	}
	key := s.ProductKey
	if key == "" {
		key = triple.ProductKey(t.ProductID)
	}
	name := t.MAC.String()
	id, err := alink.ParseClientID(fmt.Sprintf("%s.%s|timestamp=%d,securemode=3,signmethod=hmacsha256|", key, name, time.Now().UnixMilli()))
	if err != nil {
		return err
	}
	password, err := alink.Sign("hmacsha256", t.Secret.Reveal(), id, name, key)
	if err != nil {
		return err
	}
	for _, line := range [][2]string{
		{"product id", t.ProductID.String()},
		{"product key", key},
		{"device name", name},
		{"client id", id.Raw},
		{"user name", name + "&" + key},
		{"password", password},
	} {
		fmt.Printf("%-12s %s\n", line[0], line[1])
	}
	return nil
}

type tripleWorkbook struct {
	File string `arg:"" help:"Workbook (.xlsx)." type:"existingfile"`
	Row  int    `help:"Print this triple as PRODUCT_ID,MAC,SECRET, for lampworks device. The first is 1." placeholder:"N"`
}

func (w *tripleWorkbook) Run() error {
	f, err := os.Open(w.File)
	if err != nil {
		return fmt.Errorf("reading the workbook: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("reading the workbook: %w", err)
	}
	rows, chosen := 0, ""
	cover, err := triple.ReadWorkbook(f, info.Size(), func(t triple.Triple) error {
		if rows++; rows == w.Row {
			chosen = t.Reveal()
		}
		return nil
	})
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", w.File, err)
	case w.Row > rows || w.Row < 0:
		return usageError{fmt.Errorf("--row %d: the workbook has %d triples", w.Row, rows)}
	case w.Row > 0:
		fmt.Println(chosen)
		return nil
	}
	fmt.Printf(say("%d triples of %s, product key %s, order %s, generation %d\n", "%d 份三元组，产品 %s，ProductKey %s，订单 %s，第 %d 代\n"), rows, cover.ProductName, cover.ProductKey, cover.Order, cover.Generation)
	return nil
}
