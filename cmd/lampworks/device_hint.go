package main

import (
	"errors"
	"fmt"

	"lampworks/mqtt"
)

// hintOf is what to do about a connection that failed, empty if nothing is known; over says that trying again is of no use. A
// device that was connected before speaks to an MQTT server, whatever comes.
func hintOf(err error, connected bool) (hint string, over bool) {
	var refused *mqtt.Refused
	var broken *mqtt.ProtocolError
	switch {
	case errors.As(err, &refused):
		return hintOfCode(refused.Code)
	case errors.As(err, &broken) && !connected:
		return say("What answers there is no MQTT server. Name the address of --mqtt of serve (1883), or ws://HOST:PORT for that of --http.",
			"那里应答的不是 MQTT 服务。请写 serve 的 --mqtt 地址（1883）；若要连 --http 的地址，请写 ws://主机:端口。"), true
	}
	return "", false
}

// hintOfCode is hintOf for a code of CONNACK, of MQTT 3.1.1 or 5.
func hintOfCode(code byte) (hint string, over bool) {
	switch {
	case code == mqtt.RefusedLogin || code == byte(mqtt.BadLogin):
		return say("Check the triple, all three parts, and --product-key: the server knows no such device, or another secret of it.",
			"请核对三元组的三个部分和 --product-key：服务端没有这台设备，或者密钥不同。"), true
	case code == mqtt.RefusedAuthorised || code == byte(mqtt.NotAuthorised):
		return say("The device is disabled, or a measure is in force: lampworks fleet show DEVICE, lampworks enforce list. Its product may also want TLS: mqtts://HOST:PORT.",
			"设备已停用，或者有处置措施在生效：lampworks fleet show DEVICE、lampworks enforce list。产品也可能要求 TLS：mqtts://主机:端口。"), true
	case code == mqtt.RefusedServer || code == byte(mqtt.Busy) || code == byte(mqtt.Unavailable):
		return say("The same triple is in use in another place, or the server is busy. It is tried again.",
			"同一份三元组正在别处使用，或者服务端繁忙。稍后会重试。"), false
	}
	return "", false
}

// hinted is err with its hint.
func hinted(err error, hint string) error {
	if err == nil || hint == "" {
		return err
	}
	return fmt.Errorf("%w\n%s", err, hint)
}
