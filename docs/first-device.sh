#!/usr/bin/env bash
# From an empty server to a device that obeys a sentence, by the API alone. docs/en/first-device.md explains it.
# usage: docs/first-device.sh URL MQTT CODE    (needs curl and jq; lampworks on the PATH or in LAMPWORKS)
set -euo pipefail
url=$1 mqtt=$2 code=$3
lampworks=${LAMPWORKS:-lampworks}
work=$(mktemp -d)
trap 'kill "${player:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
json='Content-Type: application/json'

# api METHOD PATH [BODY]: with the cookie that set-up gave; a refusal is shown and ends the script.
api() { curl -sS --fail-with-body -b "$work/cookie" -X "$1" -H "$json" "$url/api/v1$2" ${3:+-d "$3"}; }

# 1. The first operator, with the one-time code.
curl -sS --fail-with-body -o /dev/null -c "$work/cookie" -H "$json" "$url/api/v1/setup" \
  -d "$(jq -n --arg code "$code" '{$code, login: "operator", password: "correct horse battery"}')"

# 2. The operator's second factor: an authenticator app would show the code, here the program computes it.
secret=$(api POST /factor | jq -r .secret)
api PUT /factor "$(jq -n --arg code "$("$lampworks" totp <<<"$secret")" '{$code}')" >/dev/null

# 3. An organisation, and act for it.
org=$(api POST /organisations '{"names":{"en":"Spark Lighting","zh-CN":"星火照明"},"kinds":["terminal_maker"]}' | jq -r .id)
api PUT /session/organisation "{\"organisation\":\"$org\"}" >/dev/null

# 4. A product from a category, three triples of it, and their workbook.
product=$(api POST /products '{"category":"colour_light","names":{"en":"Desk Lamp L1","zh-CN":"桌面灯 L1"}}' | jq -r .id)
order=$(api POST "/products/$product/orders" '{"quantity":3,"purpose":"debug"}' | jq -r .id)
until [ "$(api GET "/orders/$order" | jq -r .state)" = issued ]; do sleep 0.1; done
download=$(api POST "/orders/$order/downloads" '{"reason":"the first device"}' | jq -r .id)
api GET "/downloads/$download/file" >"$work/triples.xlsx"
triple=$("$lampworks" triple workbook "$work/triples.xlsx" --row 1)

# 5. A home with a room, and the device in it.
name=$(cut -d, -f2 <<<"$triple")
device=$(api GET "/devices?name=$name" | jq -r '.items[0].id')
home=$(api POST /homes '{"names":{"en":"Home","zh-CN":"家"}}' | jq -r .id)
room=$(api POST "/homes/$home/rooms" '{"names":{"en":"living room","zh-CN":"客厅"}}' | jq -r .id)
api POST "/homes/$home/devices" "{\"device\":\"$device\",\"room\":\"$room\",\"names\":{\"en\":\"lamp\",\"zh-CN\":\"灯\"}}"

# 6. The device itself, played by this program as a real one would connect.
"$lampworks" device --server "$mqtt" --triple "$triple" >"$work/device.log" &
player=$!
until [ "$(api GET "/devices/$device" | jq -r .online)" = true ]; do sleep 0.1; done

# 7. A token for programs, and a sentence.
LAMPWORKS_TOKEN=$(api POST /tokens '{"name":"first-device"}' | jq -r .token)
export LAMPWORKS_TOKEN
"$lampworks" say --server "$url" '打开客厅的灯'
