package fraudstream.query.input;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.nio.channels.Channels;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;

/** Files of records on this machine, packed with gzip or plain, with a byte order mark or without. */
public final class Files {
    private static final int MARK = 3;
    private static final int BUFFER = 1 << 16;
    private static final int SAMPLE = 1 << 20;

    private Files() {
    }

    /** The unpacked bytes of a file behind its byte order mark. */
    public static InputStream open(Path file) throws IOException {
        InputStream plain = new BufferedInputStream(java.nio.file.Files.newInputStream(file), BUFFER);
        plain.mark(2);
        boolean isPacked = plain.read() == 0x1f && plain.read() == 0x8b;
        plain.reset();
        PushbackInputStream whole =
            new PushbackInputStream(isPacked ? new GZIPInputStream(plain, BUFFER) : plain, MARK);
        byte[] first = whole.readNBytes(MARK);
        boolean isMarked = first.length == MARK && (first[0] & 0xff) == 0xef && (first[1] & 0xff) == 0xbb
            && (first[2] & 0xff) == 0xbf;
        if (!isMarked) {
            whole.unread(first);
        }
        return whole;
    }

    /** The records of a JSON or CSV file, or of a part of a file of JSON lines; {@code end} -1: of the whole file. */
    public static Records records(Path file, String format, String delimiter, long start, long end)
        throws IOException {
        if (format.equals("csv")) {
            return new CsvRecords(open(file), delimiter);
        }
        if (end < 0) {
            return new JsonRecords(open(file));
        }
        SeekableByteChannel channel = java.nio.file.Files.newByteChannel(file);
        channel.position(Math.max(0, start - 1));
        return JsonRecords.part(Channels.newInputStream(channel), start, end);
    }

    /**
     * Where to cut a JSON file into parts of at least {@code least} bytes: their starts, and the file's size at last.
     * Empty for one that has to be read whole: a small or packed one, or one whose first line is no object.
     */
    public static List<Long> cuts(Path file, long least) throws IOException {
        long size = java.nio.file.Files.size(file);
        List<Long> cuts = new ArrayList<>();
        if (size < 2 * least || !hasLines(file)) {
            return cuts;
        }
        long count = size / least;
        for (long part = 0; part <= count; part++) {
            cuts.add(size * part / count);
        }
        return cuts;
    }

    private static boolean hasLines(Path file) throws IOException {
        try (InputStream bytes = java.nio.file.Files.newInputStream(file)) {
            byte[] sample = bytes.readNBytes(SAMPLE);
            int depth = 0;
            boolean isText = false;
            for (int at = 0; at < sample.length && sample[at] != '\n'; at++) {
                if (isText && sample[at] == '\\') {
                    at++;
                } else if (sample[at] == '"') {
                    isText = !isText;
                } else if (isText) {
                    continue;
                } else if (sample[at] == '{') {
                    depth++;
                } else if (sample[at] == '}') {
                    depth--;
                }
            }
            return sample.length > 0 && sample[0] == '{' && depth == 0;
        }
    }
}
