-- +goose Up
-- Protocols are a catalogue from now on: what was meant by another word gets its name there. A word that nobody can say the meaning
-- of stays where it is, until its maker names others.
UPDATE product
SET protocols = (
  SELECT json_group_array(word ORDER BY place)
  FROM (
    SELECT MIN(key) AS place, CASE value
      WHEN 'wifi' THEN 'mqtt'
      WHEN 'wi-fi' THEN 'mqtt'
      WHEN 'wi_fi' THEN 'mqtt'
      WHEN 'wlan' THEN 'mqtt'
      WHEN 'wifi_mqtt' THEN 'mqtt'
      WHEN 'wifi-mqtt' THEN 'mqtt'
      WHEN 'mqtts' THEN 'mqtt'
      WHEN 'mqtt_tls' THEN 'mqtt'
      WHEN 'mqtt3' THEN 'mqtt'
      WHEN 'mqtt5' THEN 'mqtt'
      WHEN 'alink' THEN 'mqtt'
      WHEN 'mqtt_alink' THEN 'mqtt'
      WHEN 'alink_mqtt' THEN 'mqtt'
      WHEN 'combo' THEN 'ble_combo'
      WHEN 'wifi_ble' THEN 'ble_combo'
      WHEN 'wifi-ble' THEN 'ble_combo'
      WHEN 'ble_wifi' THEN 'ble_combo'
      WHEN 'ble-wifi' THEN 'ble_combo'
      WHEN 'sub-device' THEN 'sub_device'
      WHEN 'subdevice' THEN 'sub_device'
      WHEN 'sub_devices' THEN 'sub_device'
      WHEN 'gateway' THEN 'sub_device'
      WHEN 'gateway_sub_device' THEN 'sub_device'
      WHEN 'mesh' THEN 'ble_mesh'
      WHEN 'ble-mesh' THEN 'ble_mesh'
      WHEN 'blemesh' THEN 'ble_mesh'
      WHEN 'bt_mesh' THEN 'ble_mesh'
      WHEN 'bt-mesh' THEN 'ble_mesh'
      WHEN 'btmesh' THEN 'ble_mesh'
      WHEN 'sig_mesh' THEN 'ble_mesh'
      WHEN 'sig-mesh' THEN 'ble_mesh'
      WHEN 'bluetooth_mesh' THEN 'ble_mesh'
      WHEN 'bluetooth-mesh' THEN 'ble_mesh'
      WHEN 'gatt' THEN 'ble_gatt'
      WHEN 'ble' THEN 'ble_gatt'
      WHEN 'ble-gatt' THEN 'ble_gatt'
      WHEN 'bt' THEN 'ble_gatt'
      WHEN 'ble_gma' THEN 'ble_gatt'
      WHEN 'gma' THEN 'ble_gatt'
      WHEN 'bluetooth' THEN 'ble_gatt'
      WHEN 'bluetooth_le' THEN 'ble_gatt'
      WHEN 'bluetooth-le' THEN 'ble_gatt'
      WHEN 'ble-broadcast' THEN 'ble_broadcast'
      WHEN 'ble_beacon' THEN 'ble_broadcast'
      WHEN 'ble-beacon' THEN 'ble_broadcast'
      WHEN 'beacon' THEN 'ble_broadcast'
      WHEN 'broadcast' THEN 'ble_broadcast'
      WHEN 'c2c' THEN 'cloud'
      WHEN 'cloud_to_cloud' THEN 'cloud'
      WHEN 'cloud-to-cloud' THEN 'cloud'
      WHEN 'cloud2cloud' THEN 'cloud'
      ELSE value
    END AS word
    FROM json_each(product.protocols)
    GROUP BY word
  )
)
WHERE protocols <> '[]';

-- +goose Down
