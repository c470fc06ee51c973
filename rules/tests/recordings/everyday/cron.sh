# Jobs of cron's, in two minutes.
cron -f >/dev/null 2>&1 &
cron=$!
sleep 125
kill $cron
