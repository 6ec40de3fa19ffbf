package fraudstream.query.live;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Spark's log of the offsets that a batch reads. A lane whose offsets move had something unread when the batch was
 * planned, even if no record of it comes: what a transaction marks, or aborts, has offsets and is no record.
 */
final class OffsetLog {
    private OffsetLog() {
    }

    /** The lanes whose offsets a batch moves; none where Spark's log is not there. */
    static Set<Lane> moved(LiveJob job, long batch) throws IOException {
        Map<Lane, Long> before = read(job, batch - 1);
        Set<Lane> moved = new TreeSet<>();
        read(job, batch).forEach((lane, end) -> {
            if (!end.equals(before.get(lane))) {
                moved.add(lane);
            }
        });
        return moved;
    }

    private static Map<Lane, Long> read(LiveJob job, long batch) throws IOException {
        Map<Lane, Long> ends = new HashMap<>();
        Path file = Path.of(job.tree().path("offsets").asText(), Long.toString(batch));
        if (batch < 0 || !Files.isRegularFile(file)) {
            return ends;
        }
        List<String> lines = Files.readAllLines(file);
        // A version and Spark's own entries come first, then a line for each source.
        for (String line : lines.subList(Math.min(2, lines.size()), lines.size())) {
            JsonNode topics = line.startsWith("{") ? LiveJob.read(line) : null;
            for (LiveJob.Input input : topics == null ? List.<LiveJob.Input>of() : job.inputs()) {
                topics.path(input.topic).properties().forEach(partition -> ends.put(
                    new Lane(input.number, Integer.parseInt(partition.getKey())), partition.getValue().asLong()));
            }
        }
        return ends;
    }
}
