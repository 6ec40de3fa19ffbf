package fraudstream.query.live;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.reference.Snapshots;
import fraudstream.query.reference.Snapshots.Snapshot;
import fraudstream.query.values.Datetime;
import fraudstream.query.values.Record;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The files of reference data, looked at before each batch. One that has changed holds from then on; one of a path with
 * a date and a time holds from that time on, as in Azure. No version holds earlier than one before it, or for rows that
 * the query has seen already.
 */
final class ReferenceFiles {
    // A file that is being written has changed just now.
    private static final long SETTLED_MILLIS = 500;

    private final LiveJob job;
    private final Path folder;

    ReferenceFiles(LiveJob job, Path folder) {
        this.job = job;
        this.folder = folder;
    }

    /**
     * The versions that hold in a batch: those known before, and new ones. {@code start}: when the query was started,
     * in ticks, as {@code now}. Throws {@link StateRefused} where reference data are missing.
     */
    List<Version.Reference> now(Version before, long start, long now) throws IOException {
        List<Version.Reference> all = new ArrayList<>(before.references());
        for (JsonNode described : job.tree().get("references")) {
            Snapshots input = Snapshots.of(described);
            boolean isNew = all.stream().noneMatch(one -> one.input().equals(input.name()));
            List<Snapshot> files = files(input, start, isNew);
            if (isNew && files.isEmpty()) {
                throw new StateRefused("The reference data " + input.name() + " have no file: there is nothing at "
                    + input.path() + ".");
            }
            if (!isNew) {
                files.removeIf(file -> now - file.changed() < SETTLED_MILLIS * Datetime.TICKS_PER_MILLISECOND);
            }
            for (Snapshot file : files) {
                add(all, input, file, before.clocks().watermark);
            }
        }
        return all;
    }

    private void add(List<Version.Reference> all, Snapshots input, Snapshot file, long watermark)
        throws IOException {
        long last = Long.MIN_VALUE;
        boolean isFirst = true;
        for (Version.Reference known : all) {
            if (known.input().equals(input.name())) {
                if (known.source().equals(file.source())) {
                    return;
                }
                last = Math.max(last, known.effective());
                isFirst = false;
            }
        }
        boolean isDated = input.isDated();
        if (isDated && !isFirst && file.from() <= last) {
            return;
        }
        long effective = isFirst ? file.from()
            : Math.max(isDated ? file.from() : file.changed(), Math.max(watermark, last + 1));
        List<Record> rows = input.rows(file, job.plan(), job.functions());
        String fileName = "reference-" + all.size() + "-" + Long.toHexString(System.nanoTime());
        try (StateFile.Writer to = new StateFile.Writer(folder, fileName)) {
            ReferenceData.write(to, rows);
            all.add(new Version.Reference(input.name(), effective, file.source(), to.keep()));
        }
    }

    private static List<Snapshot> files(Snapshots input, long start, boolean isNew) throws IOException {
        List<Snapshot> files = new ArrayList<>(input.now());
        if (isNew && input.isDated()) {
            // The newest one at the start, and what comes later.
            long newest = files.stream().mapToLong(Snapshot::from).filter(from -> from <= start).max()
                .orElse(Long.MIN_VALUE);
            files.removeIf(file -> file.from() < newest);
        }
        return files;
    }
}
