package fraudstream.query.spark;

import fraudstream.query.spark.SortedRows.Row;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/** Several files of sorted rows as one file of JSON lines. */
final class Merge {
    private static final int BUFFER = 1 << 16;

    private Merge() {
    }

    /** Writes the file and deletes the others; the number of rows. */
    static long write(List<String> sorted, Path to) throws IOException {
        PriorityQueue<Sorted> waiting = new PriorityQueue<>(Comparator.comparing(one -> one.row, SortedRows.ORDER));
        for (String file : sorted) {
            Sorted one = new Sorted(Path.of(file));
            if (one.advance()) {
                waiting.add(one);
            }
        }
        long count = 0;
        try (OutputStream lines = new BufferedOutputStream(Files.newOutputStream(to), BUFFER)) {
            while (!waiting.isEmpty()) {
                Sorted first = waiting.poll();
                lines.write(first.row.text());
                lines.write('\n');
                count++;
                if (first.advance()) {
                    waiting.add(first);
                }
            }
        }
        for (String file : sorted) {
            Files.deleteIfExists(Path.of(file));
        }
        return count;
    }

    private static final class Sorted implements Closeable {
        private final DataInputStream file;
        private Row row;

        private Sorted(Path path) throws IOException {
            file = new DataInputStream(new BufferedInputStream(Files.newInputStream(path), BUFFER));
        }

        private boolean advance() throws IOException {
            byte[] ticks = file.readNBytes(Long.BYTES);
            if (ticks.length == 0) {
                close();
                return false;
            }
            long at = java.nio.ByteBuffer.wrap(ticks).getLong();
            row = new Row(at, file.readNBytes(file.readInt()));
            return true;
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }
}
