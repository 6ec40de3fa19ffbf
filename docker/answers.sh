#!/usr/bin/env bash
# answers PORT PATH: whether HTTP on this container's port answers with 200. Bash alone, because a health check that
# starts an interpreter every few seconds costs more than what it checks.
set -eu
exec 3<>"/dev/tcp/127.0.0.1/$1"
printf 'GET %s HTTP/1.0\r\nHost: 127.0.0.1:%s\r\n\r\n' "$2" "$1" >&3
read -r -t 4 _ status _ <&3
[ "$status" = 200 ]
