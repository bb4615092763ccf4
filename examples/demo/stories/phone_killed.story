title "The phone's process ends while the band waits for a press"
open "Tea House"
enter Mei with a band and 50 CNY
Mei: set up
pay 6 CNY to "Tea House" for "dumplings"
kill the phone
start the phone
connect
expect reconnected
say "The payment is on the phone's disk, and goes on:"
go on
press
expect settled
go on
expect the receipt of "dumplings" tell "Asked once more, it is the same receipt."
expect books Mei 44 CNY, "Tea House" 6 CNY
issuer: audit
