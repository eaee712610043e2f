package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// waiting is how long a command may take, and how long its verb waits for its end.
type waiting struct {
	Within time.Duration `help:"How long it may take. Default: ten seconds, of a synchronous call eight." placeholder:"DURATION" sends:"deadline_ms" least:"1ms"`
	Wait   time.Duration `help:"Answer when it has ended, or after this time; up to 20s. Default: at once." placeholder:"DURATION" sends:"wait_ms" least:"1ms" most:"20s"`
}

// endsOf is said in the help of every verb that commands a device.
const endsOf = "Exits 1 when the command ended as failed, expired or cancelled, or when it has not ended within --wait; the reason is told on standard error."

func (w *waiting) into(in map[string]any) map[string]any {
	if w.Within > 0 {
		in["deadline_ms"] = w.Within.Milliseconds()
	}
	if w.Wait > 0 {
		in["wait_ms"] = w.Wait.Milliseconds()
	}
	return in
}

// A command is how the API shows one, as far as its end is concerned.
type command struct {
	ID, State, Reason, Note string
}

// order commands a device and prints the command as it is then. What ended other than by success is an error, and so is, for
// whom waited, what has not ended.
func (c *client) order(ctx context.Context, path string, in any, waited bool) error {
	var raw json.RawMessage
	if err := c.call(ctx, creates, path, in, &raw); err != nil {
		return err
	}
	var k command
	if err := json.Unmarshal(raw, &k); err != nil {
		return fmt.Errorf("reading the command: %w", err)
	}
	return joined(printJSON(raw), k.outcome(waited))
}

// outcome is what became of the command, as an error if it is no success.
func (k *command) outcome(waited bool) error {
	switch k.State {
	case "failed", "expired", "cancelled":
		text := say("the command ended as "+k.State, "命令的结果是"+stateZH[k.State])
		if k.Reason != "" {
			text += say(", "+k.Reason+": "+reasons[k.Reason].en, "（"+k.Reason+"）："+reasons[k.Reason].zh)
		}
		if k.Note != "" {
			text += "\n" + plain(k.Note)
		}
		return errorText(text)
	case "accepted", "sent", "acknowledged":
		if waited {
			return errorText(say("the command has not ended yet, it is "+k.State+"; see what becomes of it: lampworks fleet result "+k.ID,
				"命令还没有结束，目前"+stateZH[k.State]+"；查看后续结果：lampworks fleet result "+k.ID))
		}
	}
	return nil
}

// errorText is an error that was put into the language of the terminal.
type errorText string

func (e errorText) Error() string { return string(e) }

// stateZH are the states of a command in Chinese.
var stateZH = map[string]string{
	"accepted": "已受理", "sent": "已发送", "acknowledged": "已送达", "failed": "失败", "expired": "过期", "cancelled": "已取消",
}

// reasons say why a command ended other than by success.
var reasons = map[string]struct{ en, zh string }{
	"unconfirmed":   {"it was sent, and the device did not say in time whether it did it", "命令已发出，设备没有在期限内回答是否执行"},
	"refused":       {"the device answered that it did not do it", "设备答复没有执行"},
	"wrong":         {"the device said that it did it, and reports another value", "设备答复已执行，但上报的值不符"},
	"offline":       {"the device was not connected before the deadline", "到期限时设备仍未连接"},
	"undeliverable": {"the device does not take a packet such as it needs", "设备不接受这样的报文"},
	"replaced":      {"a newer command for the same property took its place", "同一属性有更新的命令，取代了它"},
	"withdrawn":     {"somebody cancelled it", "已被人取消"},
	"parted":        {"the device left the home in which it was asked for", "设备已离开下达这条命令的家"},
}
