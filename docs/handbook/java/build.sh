#!/bin/sh
# Classes of the case exchange in Java, and the round trip of exchanges through them. Debian: jaxb, default-jdk-headless.
# build.sh SCHEMA.xsd FOLDER EXCHANGE.xml...      (FOLDER takes sources, classes and what is written)
set -eu
schema=$1 folder=$2
shift 2
here=$(dirname "$0")
path=$folder/classes
for name in jaxb-api jaxb-runtime jaxb-core jaxb-impl javax.activation istack-commons-runtime stax-ex txw2 FastInfoset; do
    path=$path:/usr/share/java/$name.jar
done
mkdir -p "$folder/classes"
xjc -quiet -no-header -encoding UTF-8 -p collecthub.exchange -d "$folder" "$schema"
javac -encoding UTF-8 -nowarn -cp "$path" -d "$folder/classes" "$folder"/collecthub/exchange/*.java "$here/RoundTrip.java"
java -XX:TieredStopAtLevel=1 -cp "$path" RoundTrip "$schema" "$folder" "$@"
