package fraudstream.query.spark;

import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** The rows of one output in a task, sorted by time and then by their text, in one or several files. */
final class SortedRows {
    static final Comparator<Row> ORDER = Comparator.comparingLong(Row::ticks)
        .thenComparing(Row::text, Arrays::compareUnsigned);
    private static final long MOST_BYTES = 24L << 20;
    private static final int ROW_BYTES = 64;
    private static final int BUFFER = 1 << 16;

    private final Path folder;
    private final String name;
    private final List<Row> rows = new ArrayList<>();
    private final List<String> files = new ArrayList<>();
    private long bytes;

    /** A row as JSON in UTF-8, and its time. */
    record Row(long ticks, byte[] text) {
    }

    SortedRows(Path folder, String name) {
        this.folder = folder;
        this.name = name;
    }

    void add(long ticks, String json) throws IOException {
        byte[] text = json.getBytes(StandardCharsets.UTF_8);
        rows.add(new Row(ticks, text));
        bytes += text.length + ROW_BYTES;
        if (bytes > MOST_BYTES) {
            write();
        }
    }

    /** The files with all rows. */
    List<String> finish() throws IOException {
        if (!rows.isEmpty()) {
            write();
        }
        return files;
    }

    private void write() throws IOException {
        rows.sort(ORDER);
        Path file = folder.resolve(name + "-" + files.size());
        try (DataOutputStream to = new DataOutputStream(
            new BufferedOutputStream(Files.newOutputStream(file), BUFFER))) {
            for (Row row : rows) {
                to.writeLong(row.ticks);
                to.writeInt(row.text.length);
                to.write(row.text);
            }
        }
        files.add(file.toString());
        rows.clear();
        bytes = 0;
    }
}
