package fraudstream.query.reference;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.input.Admission;
import fraudstream.query.input.Files;
import fraudstream.query.input.Records;
import fraudstream.query.values.BadEvent;
import fraudstream.query.values.Datetime;
import fraudstream.query.values.Record;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The files of one reference input, as they lie there: one set of files without a date, or a file for each moment of a
 * path with <code>{date}</code> and <code>{time}</code>, which holds from that moment on, as in Azure.
 */
public final class Snapshots {
    private static final Pattern LETTERS = Pattern.compile("(?i)yyyy|mm|dd|hh");
    private static final String CSV = "csv";

    private final String name;
    private final String path;
    private final List<Path> plain = new ArrayList<>();
    private final String format;
    private final String delimiter;
    private final String dateFormat;
    private final String timeFormat;

    /**
     * Files whose rows hold together.
     *
     * @param from the moment in ticks of their path; {@code Long.MIN_VALUE} for one without a date
     * @param changed when the latest of them was changed, in ticks
     * @param source tells them from others, and of files without a date also from what they held before
     */
    public record Snapshot(List<Path> files, long from, long changed, String source) {
    }

    private Snapshots(JsonNode described) {
        name = described.get("name").asText();
        path = described.get("path").asText();
        if (described.path("files").isArray()) {
            described.get("files").forEach(file -> plain.add(Path.of(file.asText())));
        } else {
            plain.add(Path.of(path));
        }
        format = described.get("format").asText();
        delimiter = described.path("delimiter").textValue();
        dateFormat = described.get("date_format").asText();
        timeFormat = described.get("time_format").asText();
    }

    /**
     * Of an input that is described by {@code name}, {@code path}, {@code format}, {@code delimiter}, {@code date_format}
     * and {@code time_format}; {@code files} are those of a path without a date that stands for several.
     */
    public static Snapshots of(JsonNode described) {
        return new Snapshots(described);
    }

    public String name() {
        return name;
    }

    public String path() {
        return path;
    }

    /** Whether each file holds from a moment on that its path says. */
    public boolean isDated() {
        return path.contains("{date}") || path.contains("{time}");
    }

    /** What is there now, in the order of the moments; without a date one or, where a file is missing, none. */
    public List<Snapshot> now() throws IOException {
        return isDated() ? dated() : undated();
    }

    /** The rows; those that do not have their declared types are left out, as the service leaves them out. */
    public List<Record> rows(Snapshot snapshot, JsonNode plan, UserFunctions functions) throws IOException {
        Admission admission = Admission.of(plan, name, functions);
        List<Record> rows = new ArrayList<>();
        for (Path file : snapshot.files) {
            try (Records records = Files.records(file, format, delimiter, 0, -1)) {
                while (records.next()) {
                    try {
                        rows.add(admission.checked(records.record(), format.equals(CSV)));
                    } catch (BadEvent dropped) {
                        continue;
                    }
                }
            }
        }
        return rows;
    }

    private List<Snapshot> undated() throws IOException {
        long changed = Long.MIN_VALUE;
        StringBuilder source = new StringBuilder();
        for (Path file : plain) {
            if (!java.nio.file.Files.isRegularFile(file)) {
                return List.of();
            }
            source.append(source.isEmpty() ? "" : " ").append(file).append('@')
                .append(java.nio.file.Files.getLastModifiedTime(file)).append(':')
                .append(java.nio.file.Files.size(file));
            changed = Math.max(changed, changed(file));
        }
        return List.of(new Snapshot(plain, Long.MIN_VALUE, changed, source.toString()));
    }

    private static long changed(Path file) throws IOException {
        return java.nio.file.Files.getLastModifiedTime(file).toMillis() * Datetime.TICKS_PER_MILLISECOND;
    }

    private List<Snapshot> dated() throws IOException {
        String parts = path.replace("{date}", dateFormat).replace("{time}", timeFormat);
        int fixed = path.lastIndexOf('/', path.indexOf('{'));
        Path root = Path.of(fixed < 0 ? "." : path.substring(0, fixed + 1));
        List<Snapshot> known = new ArrayList<>();
        if (!java.nio.file.Files.isDirectory(root)) {
            return known;
        }
        List<String> groups = new ArrayList<>();
        Pattern shape = shape(groups);
        int depth = (int) parts.chars().filter(letter -> letter == '/').count() + 1;
        try (Stream<Path> files = java.nio.file.Files.walk(root, depth)) {
            files.filter(java.nio.file.Files::isRegularFile).forEach(file -> {
                Matcher matcher = shape.matcher(file.toString().replace('\\', '/'));
                if (matcher.matches()) {
                    try {
                        known.add(new Snapshot(List.of(file), moment(matcher, groups), changed(file), file.toString()));
                    } catch (DateTimeException none) {
                        // No day or hour of these numbers.
                        return;
                    } catch (IOException gone) {
                        throw new UncheckedIOException(gone);
                    }
                }
            });
        } catch (UncheckedIOException error) {
            throw error.getCause();
        }
        known.sort(Comparator.comparingLong(Snapshot::from));
        return known;
    }

    /** A pattern whose groups are the numbers of a path's moment, named in {@code groups}. */
    private Pattern shape(List<String> groups) {
        StringBuilder shape = new StringBuilder();
        for (String piece : path.split("(?=\\{date\\}|\\{time\\})|(?<=\\{date\\}|\\{time\\})")) {
            boolean isTime = piece.equals("{time}");
            if (!isTime && !piece.equals("{date}")) {
                shape.append(Pattern.quote(piece));
                continue;
            }
            String format = isTime ? timeFormat : dateFormat;
            Matcher letters = LETTERS.matcher(format);
            int at = 0;
            while (letters.find()) {
                shape.append(Pattern.quote(format.substring(at, letters.start())));
                String name = letters.group().toLowerCase(Locale.ROOT);
                groups.add(isTime && name.equals("mm") ? "minute" : name);
                shape.append(name.equals("yyyy") ? "(\\d{4})" : "(\\d\\d)");
                at = letters.end();
            }
            shape.append(Pattern.quote(format.substring(at)));
        }
        return Pattern.compile(shape.toString());
    }

    private static long moment(Matcher matcher, List<String> groups) {
        int[] parts = {1, 1, 1, 0, 0};
        List<String> names = List.of("yyyy", "mm", "dd", "hh", "minute");
        for (int group = 0; group < groups.size(); group++) {
            parts[names.indexOf(groups.get(group))] = Integer.parseInt(matcher.group(group + 1));
        }
        return LocalDateTime.of(parts[0], parts[1], parts[2], parts[3], parts[4]).toEpochSecond(ZoneOffset.UTC)
            * Datetime.TICKS_PER_SECOND;
    }
}
