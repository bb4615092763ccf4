title "A person is paid"
enter Mei with a band and 10 CNY
enter Lin with a band with a display and 50 CNY
Mei: set up
Lin: set up
Mei: receive 30 CNY for "half of the dinner"
press twice
make noise at Mei's phone
Lin: pay 30 CNY to Mei
expect waiting "half of the dinner"
press
expect settled
expect books Mei 40 CNY, Lin 20 CNY

say "Off the wrist, nobody asks in her name:"
Mei: take off
receive 5 CNY
expect refused "not worn"
