package gateway

// RoundEvery is how late what is due may be done.
const RoundEvery = roundEvery
