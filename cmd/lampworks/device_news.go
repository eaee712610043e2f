package main

import (
	"fmt"

	"lampworks/internal/fleet/virtual"
)

// newsText is what became of a device, or of one that it carries, in one line.
func newsText(n virtual.News) string {
	switch n.What {
	case virtual.LoggedIn:
		return fmt.Sprintf(say("child %s: logged in", "子设备 %s：已登录"), n.Device)
	case virtual.Refused:
		hint := ""
		if h, over := hintOfChild(n.Code); h != "" && !over { // that of what ends the device comes with its end
			hint = "\n" + h
		}
		return fmt.Sprintf(say("child %s: refused with code %d: %s", "子设备 %s：被拒绝，代码 %d：%s"), n.Device, n.Code, n.Why) + hint
	case virtual.Attached:
		return fmt.Sprintf(say("child %s: attached by its maker", "子设备 %s：已由厂商挂接"), n.Device)
	case virtual.Unknown:
		return fmt.Sprintf(say("child %s: attached by its maker, but it cannot log in: give its triple with --child", "子设备 %s：已由厂商挂接，但无法登录：请用 --child 给出它的三元组"), n.Device)
	case virtual.Detached:
		return fmt.Sprintf(say("child %s: detached, no longer carried", "子设备 %s：已解除挂接，不再代理"), n.Device)
	case virtual.Disabled:
		return fmt.Sprintf(say("device %s: disabled, or kept out by a measure", "设备 %s：已停用，或被处置措施拒绝"), n.Device)
	case virtual.Enabled:
		return fmt.Sprintf(say("device %s: enabled, it may be there again", "设备 %s：已启用，可以重新上线"), n.Device)
	case virtual.Bound:
		return fmt.Sprintf(say("device %s: placed in a home", "设备 %s：已绑定到家庭"), n.Device)
	case virtual.Unbound:
		return fmt.Sprintf(say("device %s: taken from its home", "设备 %s：已从家庭解绑"), n.Device)
	case virtual.PermitJoin:
		return fmt.Sprintf(say("permit-join: others may join now, as told: %s", "permit-join：现在允许新设备入网，下发的参数：%s"), n.Why)
	}
	return fmt.Sprintf("%s %s", n.Device, n.What)
}
