package fraudstream.query.live;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A query's state between two batches: the version of the number of batches that it has seen.
 *
 * @param clocks how far the inputs have come
 * @param references the versions of reference data, each from a time on, in their order
 * @param parts the files of each part of the state; as many as the checkpoint began with
 */
record Version(long number, Clocks clocks, List<Reference> references, List<Part> parts) implements Serializable {
    /** Rows of reference data, which hold from a time in ticks on; {@code source} tells which file they were in. */
    record Reference(String input, long effective, String source, StateFile file) implements Serializable {
    }

    /** The rows of a batch, and the watermark after it. */
    record Log(long watermark, StateFile file) implements Serializable {
    }

    /** A snapshot, or null, and the logs since then. */
    record Part(StateFile snapshot, List<Log> logs) implements Serializable {
        static final Part EMPTY = new Part(null, List.of());

        long logBytes() {
            return logs.stream().mapToLong(log -> log.file.bytes()).sum();
        }
    }

    /** Before the first batch. */
    static Version first(int parts) {
        List<Part> empty = new ArrayList<>();
        for (int part = 0; part < parts; part++) {
            empty.add(Part.EMPTY);
        }
        return new Version(0, new Clocks(Map.of(), Long.MIN_VALUE), List.of(), empty);
    }

    /** The names of all its files. */
    Set<String> files() {
        Set<String> names = new TreeSet<>();
        references.forEach(reference -> names.add(reference.file.name()));
        for (Part part : parts) {
            if (part.snapshot != null) {
                names.add(part.snapshot.name());
            }
            part.logs.forEach(log -> names.add(log.file.name()));
        }
        return names;
    }

    /** The bytes of the parts' files. */
    long bytes() {
        long bytes = 0;
        for (Part part : parts) {
            bytes += part.logBytes() + (part.snapshot == null ? 0 : part.snapshot.bytes());
        }
        return bytes;
    }

    ObjectNode toJson() {
        ObjectNode json = LiveJob.MAPPER.createObjectNode().put("version", number).put("watermark", clocks.watermark);
        ArrayNode lanes = json.putArray("lanes");
        clocks.lanes.forEach((lane, clock) -> lanes.addObject()
            .put("input", lane.input()).put("partition", lane.partition()).put("arrival", clock.arrival())
            .put("watermark", clock.watermark())
            .put("keys", clock.keys() == null ? null : Base64.getEncoder().encodeToString(clock.keys())));
        json.set("references", toJson(references));
        ArrayNode all = json.putArray("parts");
        for (Part part : parts) {
            ObjectNode one = all.addObject();
            one.set("snapshot", part.snapshot == null ? null : toJson(part.snapshot));
            ArrayNode logs = one.putArray("logs");
            part.logs.forEach(log -> logs.add(toJson(log.file).put("watermark", log.watermark)));
        }
        return json;
    }

    static ArrayNode toJson(List<Reference> references) {
        ArrayNode all = LiveJob.MAPPER.createArrayNode();
        references.forEach(one -> all.add(toJson(one.file).put("input", one.input).put("effective", one.effective)
            .put("source", one.source)));
        return all;
    }

    private static ObjectNode toJson(StateFile file) {
        return LiveJob.MAPPER.createObjectNode().put("file", file.name()).put("bytes", file.bytes())
            .put("checksum", file.checksum());
    }

    static Version of(JsonNode json) {
        TreeMap<Lane, Lane.Clock> lanes = new TreeMap<>();
        for (JsonNode lane : json.get("lanes")) {
            String keys = lane.get("keys").textValue();
            lanes.put(
                new Lane(lane.get("input").asInt(), lane.get("partition").asInt()),
                new Lane.Clock(lane.get("arrival").asLong(), lane.get("watermark").asLong(),
                    keys == null ? null : Base64.getDecoder().decode(keys)));
        }
        List<Part> parts = new ArrayList<>();
        for (JsonNode part : json.get("parts")) {
            List<Log> logs = new ArrayList<>();
            part.get("logs").forEach(log -> logs.add(new Log(log.get("watermark").asLong(), file(log))));
            parts.add(new Part(part.get("snapshot").isNull() ? null : file(part.get("snapshot")), logs));
        }
        return new Version(
            json.get("version").asLong(), new Clocks(lanes, json.get("watermark").asLong()),
            references(json.get("references")), parts);
    }

    static List<Reference> references(JsonNode json) {
        List<Reference> references = new ArrayList<>();
        json.forEach(one -> references.add(new Reference(
            one.get("input").asText(), one.get("effective").asLong(), one.get("source").asText(), file(one))));
        return references;
    }

    private static StateFile file(JsonNode json) {
        return new StateFile(json.get("file").asText(), json.get("bytes").asLong(), json.get("checksum").asLong());
    }
}
