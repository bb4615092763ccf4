title "Pairing by a code that two screens show"
enter Mei with a band
Mei: connect
expect refused "not paired" tell "Before: {}."
pair by code
connect
expect reconnected
hang up
connect
expect reconnected tell "And again, over the same link."
