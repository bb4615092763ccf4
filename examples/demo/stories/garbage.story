title "Garbage at each door"
open "Tea House"
enter Mei with a band and 50 CNY
Mei: set up
make noise at the issuer
make noise at "Tea House"
make noise at Mei's band
connect
expect reconnected
receive 5 CNY
press twice
make noise at Mei's phone
expect books Mei 50 CNY, "Tea House" 0 CNY
issuer: audit
