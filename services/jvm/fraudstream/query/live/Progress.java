package fraudstream.query.live;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What a run has to tell: its counts from the start on, and what came since it was asked last. */
final class Progress {
    private static final int MOST_TOLD = 20;

    private final LiveJob job;
    private final List<LiveJob.Output> outputs;
    private final long[] counts;
    private final long[] shown;
    private final long[] read;
    private final long[] adjusted;
    private final List<Map<String, Long>> dropped = new ArrayList<>();
    private ArrayNode rows = LiveJob.MAPPER.createArrayNode();
    private ArrayNode told = LiveJob.MAPPER.createArrayNode();
    private final Map<Lane, Long> held = new TreeMap<>();
    private Report.Stop stop;
    private long setAside;
    private long batches;
    private Version version;

    Progress(LiveJob job) {
        this.job = job;
        outputs = job.outputs();
        counts = new long[outputs.size()];
        shown = new long[outputs.size()];
        read = new long[job.inputs().size()];
        adjusted = new long[read.length];
        job.inputs().forEach(input -> dropped.add(new TreeMap<>()));
    }

    synchronized void stop(Report.Stop by) {
        stop = by;
    }

    /** What a batch that was done has to tell, and the state after it. */
    synchronized void add(List<Report> reports, Version next) throws IOException {
        version = next;
        batches++;
        List<OutputRows.Row> first = new ArrayList<>();
        held.clear();
        for (Report report : reports) {
            report.held.forEach((lane, offset) -> held.merge(lane, offset, Math::min));
            count(report);
            if (report.rows.keySet().stream().anyMatch(this::isShown)) {
                for (String file : report.files) {
                    addFirst(file, first);
                }
            }
        }
        first.sort(Comparator.comparingLong(OutputRows.Row::ticks)
            .thenComparing(OutputRows.Row::value, Arrays::compareUnsigned));
        for (OutputRows.Row row : first) {
            if (isShown(row.output())) {
                shown[row.output()]++;
                rows.addObject().put("output", outputs.get(row.output()).name())
                    .put("row", new String(row.value(), StandardCharsets.UTF_8));
            }
        }
    }

    private void count(Report report) {
        report.rows.forEach((output, count) -> counts[output] += count);
        report.read.forEach((input, count) -> read[input] += count);
        report.adjusted.forEach((input, count) -> adjusted[input] += count);
        report.dropped.forEach((input, kinds) ->
            kinds.forEach((kind, count) -> dropped.get(input).merge(kind, count, Long::sum)));
        setAside += report.setAside;
        for (Report.Told one : report.told) {
            if (told.size() < MOST_TOLD) {
                told.addObject().put("input", one.input()).put("topic", one.topic()).put("partition", one.partition())
                    .put("offset", one.offset()).put("kind", one.kind()).put("message", one.message())
                    .put("record", one.raw());
            }
        }
    }

    private boolean isShown(int output) {
        return output >= 0 && outputs.get(output).topic() == null && shown[output] < job.shownRows();
    }

    private void addFirst(String file, List<OutputRows.Row> first) throws IOException {
        long[] taken = new long[outputs.size()];
        try (OutputRows.Reader rowsOfFile = new OutputRows.Reader(file)) {
            while (rowsOfFile.hasNext()) {
                OutputRows.Row row = rowsOfFile.next();
                if (isShown(row.output()) && taken[row.output()] < job.shownRows()) {
                    taken[row.output()]++;
                    first.add(row);
                }
            }
        }
    }

    synchronized String drain() {
        ObjectNode json = LiveJob.MAPPER.createObjectNode().put("batches", batches).put("set_aside", setAside);
        ArrayNode inputs = json.putArray("inputs");
        for (LiveJob.Input input : job.inputs()) {
            ObjectNode one = inputs.addObject().put("name", input.name).put("records", read[input.number])
                .put("adjusted", adjusted[input.number]);
            ObjectNode kinds = one.putObject("dropped");
            dropped.get(input.number).forEach(kinds::put);
        }
        ArrayNode all = json.putArray("outputs");
        for (int output = 0; output < counts.length; output++) {
            all.addObject().put("name", outputs.get(output).name()).put("rows", counts[output]);
        }
        ArrayNode waiting = json.putArray("held");
        held.forEach((lane, offset) -> waiting.addObject().put("topic", job.inputs().get(lane.input()).topic)
            .put("partition", lane.partition()).put("offset", offset));
        json.set("rows", rows);
        json.set("dropped_records", told);
        if (stop != null) {
            json.putObject("stop").put("message", stop.message()).put("line", stop.line())
                .put("column", stop.column()).put("record", stop.record());
        }
        if (version != null) {
            json.put("state_bytes", version.bytes()).put("state_files", version.files().size())
                .put("watermark", version.clocks().watermark);
        }
        rows = LiveJob.MAPPER.createArrayNode();
        told = LiveJob.MAPPER.createArrayNode();
        return json.toString();
    }
}
