#!/usr/bin/env bash
# Builds Carousel and trains an LSTM on 235 years of monthly sunspot numbers, beside three baselines.
set -euo pipefail

usage="usage: ./quickstart.sh

Installs missing packages (apt), builds build/release/bin/carousel, trains a sunspot forecaster, compares it with three
baselines on the held-back last part, and writes the model and a report into ./quickstart-run/ (replaced each time)."
case "${1:-}" in
  "") ;;
  --help | -h) echo "$usage"; exit 0 ;;
  *) echo "quickstart.sh: unknown option '$1'; see ./quickstart.sh --help" >&2; exit 2 ;;
esac

called_from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")"

bash tools/setup.sh
cmake --preset release --log-level=WARNING
cmake --build --preset release --target carousel_cli

carousel=build/release/bin/carousel data=data/sunspots_monthly.csv run=quickstart-run
mkdir -p "$run"
"$carousel" train forecast --data "$data" --horizon 12 --season 132 --split 0.7,0.1,0.2 --seed 1 \
  --out "$run/sunspots.safetensors" --report "$run/report.html" --run-dir "$run/run" --force

[ "$called_from" = "$PWD" ] || there="  cd '$PWD'"$'\n'
cat <<END

Open $run/report.html in a browser: it shows the forecast drawn over the series.
Try next:
${there:-}  $carousel predict $run/sunspots.safetensors --data $data
  $carousel inspect $run/sunspots.safetensors --data $data
  $carousel evaluate $run/sunspots.safetensors --data $data --part test
END
