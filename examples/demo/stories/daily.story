title "The issuer settles 2000.00 CNY a day under one credential"
open "Tea House"
enter Mei with a band and 3000 CNY
Mei: set up
pay 200 CNY to "Tea House" for "set 1"
unlock
press
expect settled
pay 200 CNY to "Tea House" for "set 2"
unlock
press
expect settled
pay 200 CNY to "Tea House" for "set 3"
unlock
press
expect settled
pay 200 CNY to "Tea House" for "set 4"
unlock
press
expect settled
pay 200 CNY to "Tea House" for "set 5"
unlock
press
expect settled
pay 200 CNY to "Tea House" for "set 6"
unlock
press
expect settled
pay 200 CNY to "Tea House" for "set 7"
unlock
press
expect settled
pay 200 CNY to "Tea House" for "set 8"
unlock
press
expect settled
pay 200 CNY to "Tea House" for "set 9"
unlock
press
expect settled
pay 200 CNY to "Tea House" for "set 10"
unlock
press
expect settled
pay 0.01 CNY to "Tea House" for "a sip"
press
expect refused tell "One more sip: {}."
wait 1 day
pay 200 CNY to "Tea House" for "set 11"
unlock
press
expect settled tell "The day after: settled."
expect books Mei 800 CNY, "Tea House" 2200 CNY
