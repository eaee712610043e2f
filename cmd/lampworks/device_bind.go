package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"
	"golang.org/x/term"

	"lampworks/internal/fleet/virtual"
	"lampworks/internal/household/pairing"
)

// pressWord is the line of input that presses the device's button.
const pressWord = "button"

// checkBind refuses what no code can be made of.
func (d *deviceCommand) checkBind() error {
	if d.Bind == "" {
		if d.BindImage != "" {
			return errors.New("--bind-image needs --bind")
		}
		return nil
	}
	if !plainAddress(d.Bind) {
		return fmt.Errorf("--bind %s: want the address at which the people of the home reach the platform, as https://HOST", d.Bind)
	}
	return nil
}

// showToken shows the bind token of a device: as text, as a QR code where a person looks, and as an image if one is asked for.
func (d *deviceCommand) showToken(productKey, deviceName, token string) error {
	content := pairing.Tell(d.Bind, productKey, deviceName, token)
	fmt.Printf(say("bind token, good for ten minutes: %s\n%s\n", "绑定令牌，十分钟内有效：%s\n%s\n"), token, content)
	code, err := qr.Encode(content, qr.M, qr.Auto)
	if err != nil {
		return fmt.Errorf("making a QR code of the bind token: %w", err)
	}
	if term.IsTerminal(int(os.Stdout.Fd())) {
		drawCode(os.Stdout, code)
	}
	if d.BindImage == "" {
		return nil
	}
	return writeImage(d.BindImage, code)
}

// quiet is the width of the white margin of a QR code, in modules (ISO/IEC 18004, section 6.3.8).
const quiet = 4

// drawCode draws a code in characters, two rows of modules in one line.
func drawCode(w io.Writer, code barcode.Barcode) {
	size := code.Bounds().Dx()
	dark := func(x, y int) bool {
		if x < 0 || y < 0 || x >= size || y >= size {
			return false
		}
		r, _, _, _ := code.At(x, y).RGBA()
		return r < 0x8000
	}
	blocks := [2][2]string{{" ", "▄"}, {"▀", "█"}} // by upper and lower module
	index := map[bool]int{true: 1}
	var out strings.Builder
	for y := -quiet; y < size+quiet; y += 2 {
		out.WriteString("\x1b[30;107m") // black on white, whatever the terminal's colours are
		for x := -quiet; x < size+quiet; x++ {
			out.WriteString(blocks[index[dark(x, y)]][index[dark(x, y+1)]])
		}
		out.WriteString("\x1b[0m\n")
	}
	_, _ = io.WriteString(w, out.String()) // a terminal that is gone shows nothing
}

// writeImage writes a code as PNG in place of the one before, readable by its owner: who has it has the device.
func writeImage(name string, code barcode.Barcode) (err error) {
	const pixels = 8 // a module
	size := code.Bounds().Dx() * pixels
	scaled, err := barcode.Scale(code, size, size)
	if err != nil {
		return fmt.Errorf("scaling the QR code: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".bind-*") // its mode is 0600
	if err != nil {
		return fmt.Errorf("--bind-image: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // what failed before it is what matters
		}
	}()
	if err := errors.Join(png.Encode(f, framed{scaled, quiet * pixels}), f.Close()); err != nil {
		return fmt.Errorf("writing the QR code to %s: %w", f.Name(), err)
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return fmt.Errorf("--bind-image: %w", err)
	}
	return nil
}

// pressOn presses the button of v with each line "button" of in, until that ends.
func pressOn(ctx context.Context, in io.Reader, v *virtual.Device) {
	lines := bufio.NewScanner(in)
	for lines.Scan() && ctx.Err() == nil {
		switch line := strings.TrimSpace(lines.Text()); line {
		case "":
		case pressWord:
			if err := v.PressButton(ctx); err != nil {
				fmt.Printf(say("the button does nothing: %v\n", "按键无效：%v\n"), err)
			}
		default:
			fmt.Printf(say("%q is no input; type button to press the device's button\n", "无法识别 %q；输入 button 可按下设备按键\n"), line)
		}
	}
}
