package fraudstream.query.live;

import java.io.Serializable;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/**
 * What the tasks of one batch have to know.
 *
 * @param checkpoint tells the query's checkpoint from all others, one in the same folder before it included
 * @param before the state that the batch begins with; its clocks with the keys only for those who read
 * @param references those that hold in the batch, the state's included
 * @param processed the time at which the batch is processed, in ticks
 * @param moved the lanes that had anything unread, as far as Spark's log of offsets tells
 */
record Batch(
    LiveJob job, String checkpoint, Version before, List<Version.Reference> references, long processed,
    Set<Lane> moved
) implements Serializable {
    Path stateFolder() {
        return Path.of(job.folder(), "state");
    }

    /** How far the lanes have come after the batch, from the reports of those who read it. */
    Clocks after(Clocks clocks, Collection<Report> reports) {
        return clocks.after(reports, moved, job);
    }

    /** The folder for what comes out, which goes with the batch. */
    Path outputFolder() {
        return Path.of(job.folder(), "out", Long.toString(before.number()));
    }
}
