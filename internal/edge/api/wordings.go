package api

import (
	"context"
	"encoding/json"
	"strconv"

	"lampworks/internal/household/voice"
	"lampworks/internal/infra/access"
	"lampworks/internal/partner/product"
	"lampworks/internal/partner/product/wording"
	"lampworks/tsl"
)

type voiceDraftView struct {
	Revision  int64                `json:"revision" doc:"Send it back with the next save, so that nobody's work is lost. 0: there is no draft, document is the version in force."`
	Document  json.RawMessage      `json:"document" doc:"Names, properties, services and replies; {} if there never was one."`
	ChangedAt moment               `json:"changed_at,omitzero"`
	Version   int                  `json:"version" doc:"In force; 0: none."`
	Problems  []Flaw               `json:"problems" nullable:"false" doc:"What keeps it from being published."`
	Warnings  []Flaw               `json:"warnings" nullable:"false" doc:"What does not, and should be known: words that other devices act on, words that change nothing."`
	Changes   []wording.Difference `json:"changes" nullable:"false" doc:"From the version in force; empty while there are problems."`
}

func voiceDraftOf(d *product.VoiceDraft, say saying) voiceDraftView {
	return voiceDraftView{
		d.Revision, d.Document, moment(d.ChangedAt), d.Version, sayFlaws(flawsOf(d.Problems), say), sayFlaws(flawsOf(tsl.Problems(d.Warnings)), say), append([]wording.Difference{}, d.Changes...),
	}
}

type voiceView struct {
	Number      int                  `json:"number"`
	Model       int                  `json:"model" doc:"Version of the thing model that it was checked against."`
	Note        string               `json:"note,omitempty"`
	PublishedAt moment               `json:"published_at"`
	PublishedBy string               `json:"published_by,omitempty" doc:"User."`
	Document    json.RawMessage      `json:"document,omitempty" doc:"Left out in lists."`
	Changes     []wording.Difference `json:"changes,omitempty" nullable:"false" doc:"From the version before, or from the one that was asked for; left out in lists."`
}

func voiceOf(v *product.Voice) voiceView {
	return voiceView{v.Number, v.Model, v.Note, moment(v.PublishedAt), v.PublishedBy, v.Document, v.Changes}
}

type voiceDraftInput struct {
	Product string `path:"product" maxLength:"64"`
	Body    struct {
		Document json.RawMessage `json:"document" doc:"At most 64 KiB; it may still have problems."`
		Revision int64           `json:"revision,omitempty" minimum:"0" doc:"The one that was edited; 0: whatever stands there is replaced."`
	}
}

type publishVoiceInput struct {
	Product string `path:"product" maxLength:"64"`
	Body    struct {
		Note string `json:"note,omitempty" doc:"Why, for those who read the list of versions."`
	}
}

type voiceVersionInput struct {
	Product string `path:"product" maxLength:"64"`
	Version int    `path:"version" minimum:"1" maximum:"2147483647"`
	Base    int    `query:"base" minimum:"0" maximum:"2147483647" doc:"Version that the changes are told from; 0: the one before."`
}

type trialInput struct {
	Product string `path:"product" maxLength:"64"`
	Body    struct {
		Document  json.RawMessage `json:"document,omitempty" doc:"A voice configuration, at most 64 KiB; the draft if not given, or else the version in force."`
		Home      string          `json:"home,omitempty" maxLength:"64" doc:"A home of yours; if not given, one with two rooms and the product in each."`
		Sentences []string        `json:"sentences,omitempty" maxItems:"50" doc:"What people might say, each at most 2048 bytes."`
	}
}

type trialView struct {
	Problems   []Flaw            `json:"problems" nullable:"false" doc:"What keeps the configuration from being published; what can be read of it was tried all the same."`
	Warnings   []Flaw            `json:"warnings" nullable:"false"`
	Sample     bool              `json:"sample" doc:"The home has no device of the product: there was one for the trial."`
	Sentences  []voice.Tried     `json:"sentences" nullable:"false" doc:"Those that were sent, in their order."`
	Canonical  []voice.Tried     `json:"canonical" nullable:"false" doc:"At most 200 that were made of the configuration and the thing model, in both languages: which would come to the product?"`
	Collisions []voice.Collision `json:"collisions" nullable:"false" doc:"Words of the configuration that something else in the home has."`
}

// wordingRoutes are how devices of a product are spoken of (语音配置).
func (a *API) wordingRoutes() {
	const draft, versions = "/api/v1/products/{product}/voice", "/api/v1/products/{product}/voice/versions"
	route(a, "GET", draft, access.ReadProduct, ofProduct, "The draft of a voice configuration, with what is wrong with it", func(ctx context.Context, who access.Actor, in *productInput) (voiceDraftView, error) {
		d, err := a.Products.VoiceDraft(ctx, who, in.Product)
		return voiceDraftOf(&d, spoken(ctx)), err
	})
	route(a, "PUT", draft, access.WriteProduct, ofProduct, "Save a draft of the voice configuration", func(ctx context.Context, who access.Actor, in *voiceDraftInput) (voiceDraftView, error) {
		d, err := a.Products.SaveVoice(ctx, who, in.Product, product.NewDraft{Document: in.Body.Document, Revision: in.Body.Revision})
		return voiceDraftOf(&d, spoken(ctx)), err
	})
	create(a, versions, access.PublishModel, ofProduct, "Publish the draft as the next version of the voice configuration", func(ctx context.Context, who access.Actor, in *publishVoiceInput) (voiceView, error) {
		v, err := a.Products.PublishVoice(ctx, who, in.Product, in.Body.Note)
		return voiceOf(&v), err
	})
	route(a, "POST", draft+"/trial", access.ReadProduct, ofProduct, "Try a voice configuration in a home: which sentences come to the product, and which words collide", a.tryVoice)
	list(a, versions, access.ReadProduct, ofProduct, "Published versions of the voice configuration, newest first", a.voices)
	route(a, "GET", versions+"/{version}", access.ReadProduct, ofProduct, "A published voice configuration with its document and its changes", func(ctx context.Context, who access.Actor, in *voiceVersionInput) (voiceView, error) {
		v, err := a.Products.VoiceVersion(ctx, who, in.Product, in.Version, in.Base)
		return voiceOf(&v), err
	})
}

func (a *API) tryVoice(ctx context.Context, who access.Actor, in *trialInput) (trialView, error) {
	b := &in.Body
	t, err := a.Voice.Try(ctx, who, voice.TrialRequest{Product: in.Product, Document: b.Document, Home: b.Home, Sentences: b.Sentences})
	say := spoken(ctx)
	return trialView{
		sayFlaws(flawsOf(t.Problems), say), sayFlaws(flawsOf(tsl.Problems(t.Warnings)), say), t.Sample,
		append([]voice.Tried{}, t.Sentences...), append([]voice.Tried{}, t.Canonical...), append([]voice.Collision{}, t.Collisions...),
	}, err
}

func (a *API) voices(ctx context.Context, who access.Actor, in *versionsInput) (page[voiceView], error) {
	before, err := number(in.Cursor)
	if err != nil {
		return page[voiceView]{}, err
	}
	limit := in.Limit
	if limit == 0 {
		limit = 100
	}
	vs, next, err := a.Products.Voices(ctx, who, in.Product, int(before), limit)
	if err != nil {
		return page[voiceView]{}, err
	}
	p := pageTo(vs, "", voiceOf)
	if next != 0 {
		p.NextCursor = strconv.Itoa(next)
	}
	return p, nil
}
