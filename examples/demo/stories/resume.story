title "A link that was cut goes on where it was"
open "Tea House"
enter Mei with a band and 50 CNY
Mei: set up
pay 6 CNY to "Tea House" for "dumplings"
cut the link
connect
expect resumed
go on
press
expect settled
expect books Mei 44 CNY, "Tea House" 6 CNY

say "A band that restarted knows its links, and not how the last connection went:"
kill the band
start the band
connect
expect reconnected
pay 6 CNY to "Tea House" for "more dumplings"
expect refused "not worn"
put on
unlock
go on
press
expect settled
expect books Mei 38 CNY, "Tea House" 12 CNY
