package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"lampworks/alink"
	"lampworks/internal/fleet/shadow"
)

// askTime tells the device what time it is. params is the whole message.
func (c *conn) askTime(_ context.Context, req *alink.Request) (told, *refusal, error) {
	came := time.Now().UnixMilli()
	sent, err := alink.ParseNTP(req.Params)
	if err != nil {
		return told{}, &refusal{alink.CodeBadRequest, err.Error()}, nil
	}
	return told{data: alink.AppendNTP(nil, sent, came, time.Now().UnixMilli())}, nil, nil
}

// askModel gives the device its thing model, the version in force.
func (c *conn) askModel(ctx context.Context, req *alink.Request) (told, *refusal, error) {
	wants := struct {
		AddDefault *bool `json:"addDefault"`
	}{}
	if len(req.Params) > 0 {
		if err := json.Unmarshal(req.Params, &wants); err != nil {
			return told{}, &refusal{alink.CodeBadRequest, `/params is not understood, want an object such as {"addDefault":false}`}, nil
		}
	}
	model, err := c.g.c.Products.Model(ctx, c.of.Value().product)
	if err != nil {
		return told{}, nil, err
	}
	data, err := model.Export(c.of.Value().key, c.name, wants.AddDefault == nil || *wants.AddDefault)
	return told{data: data}, nil, err
}

// askDesired gives the device what is desired of it. Sets that wait for it do not go as commands any more, if that covers them.
func (c *conn) askDesired(ctx context.Context, req *alink.Request) (told, *refusal, error) {
	names, err := alink.ParseNames(req.Params)
	if err != nil {
		return told{}, &refusal{alink.CodeParam, err.Error()}, nil
	}
	if !req.Ack || !c.subscribed(alink.DesiredGetReply, "") {
		return told{}, nil, nil // nobody would hear it
	}
	desired, cs, err := c.g.c.Commands.Fetch(ctx, c.device, c.epoch, names)
	if err != nil {
		return told{}, nil, err
	}
	data, err := desiredData(desired)
	return told{data: data, undo: func(ctx context.Context) {
		if err := c.g.c.Commands.Return(ctx, c.epoch, cs); err != nil {
			c.g.c.Logger.LogAttrs(ctx, slog.LevelWarn, "returning commands failed", slog.String("device", c.device), slog.Any("error", err))
		}
	}}, nil, err
}

// desiredData is {"brightness":{"value":50,"version":2}}.
func desiredData(desired []shadow.Wanted) ([]byte, error) {
	type wanted struct {
		Value   json.RawMessage `json:"value"`
		Version int64           `json:"version"`
	}
	out := make(map[string]wanted, len(desired))
	for _, w := range desired {
		out[w.Property] = wanted{w.Value, w.Version}
	}
	data, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encoding what is desired: %w", err)
	}
	return data, nil
}

// dropDesired takes back what is desired of the device, once it has done it.
func (c *conn) dropDesired(ctx context.Context, req *alink.Request) (told, *refusal, error) {
	versions, err := alink.ParseVersions(req.Params)
	if err != nil {
		return told{}, &refusal{alink.CodeBadRequest, err.Error()}, nil
	}
	drops := make([]shadow.Drop, len(versions))
	for i, v := range versions {
		drops[i] = shadow.Drop{Property: v.Name, Version: v.Version}
	}
	return told{}, nil, c.g.c.Shadows.DropDesired(ctx, c.device, drops, time.Now())
}

// setTags keeps the tags that the device gives itself.
func (c *conn) setTags(ctx context.Context, req *alink.Request) (told, *refusal, error) {
	tags, err := alink.ParseTags(req.Params, true)
	if err != nil {
		return told{}, &refusal{alink.CodeParam, err.Error()}, nil
	}
	return told{}, nil, c.g.c.Devices.SetTags(ctx, c.device, tags)
}

// dropTags forgets tags of the device.
func (c *conn) dropTags(ctx context.Context, req *alink.Request) (told, *refusal, error) {
	tags, err := alink.ParseTags(req.Params, false)
	if err != nil {
		return told{}, &refusal{alink.CodeParam, err.Error()}, nil
	}
	return told{}, nil, c.g.c.Devices.DropTags(ctx, c.device, tags)
}
