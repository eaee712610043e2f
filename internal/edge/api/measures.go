package api

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// measures is /metrics. Its names are stable; none holds an id of a device or a person.
func (a *API) measures() http.Handler {
	a.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), measured{a})
	return promhttp.HandlerFor(a.metrics, promhttp.HandlerOpts{})
}

// measured reads the counters of the rooms when it is asked.
type measured struct{ a *API }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("lampworks_"+name, help, labels, nil)
}

// Describe implements prometheus.Collector: unchecked, as the labels follow what there is.
func (measured) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (m measured) Collect(out chan<- prometheus.Metric) {
	a := m.a
	gauge := func(name, help string, v float64) {
		out <- prometheus.MustNewConstMetric(desc(name, help), prometheus.GaugeValue, v)
	}
	gauge("sessions", "Devices online here.", float64(a.Gateway.Sessions()))
	for name, n := range a.Gateway.Counts() {
		out <- prometheus.MustNewConstMetric(desc(name, "Since the start."), prometheus.CounterValue, float64(n))
	}
	tail := a.Log.Tail()
	gauge("uplink_tail", "Newest position of the Log.", float64(tail))
	for consumer, pos := range a.Log.Cursors() {
		out <- prometheus.MustNewConstMetric(desc("uplink_lag", "Records a consumer is behind.", "consumer"), prometheus.GaugeValue, float64(tail-pos), consumer)
	}
}
