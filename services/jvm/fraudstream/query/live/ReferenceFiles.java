package fraudstream.query.live;

import com.fasterxml.jackson.databind.JsonNode;
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
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The files of reference data, looked at before each batch. One that has changed holds from then on; one of a path with
 * a date and a time holds from that time on, as in Azure. No version holds earlier than one before it, or for rows that
 * the query has seen already.
 */
final class ReferenceFiles {
    // A file that is being written has changed just now.
    private static final long SETTLED_MILLIS = 500;
    private static final Pattern LETTERS = Pattern.compile("(?i)yyyy|mm|dd|hh");

    private final LiveJob job;
    private final Path folder;

    /** A file, and from when on its rows hold: {@code Long.MIN_VALUE} for always. */
    private record Known(Path path, long from, String source) {
    }

    ReferenceFiles(LiveJob job, Path folder) {
        this.job = job;
        this.folder = folder;
    }

    /**
     * The versions that hold in a batch: those known before, and new ones. {@code start}: when the query was started,
     * in ticks. Throws {@link StateRefused} where reference data are missing.
     */
    List<Version.Reference> now(Version before, long start, long now) throws IOException {
        List<Version.Reference> all = new ArrayList<>(before.references());
        for (JsonNode input : job.tree().get("references")) {
            String name = input.get("name").asText();
            List<Version.Reference> known = all.stream().filter(one -> one.input().equals(name)).toList();
            List<Known> files = files(input, start, known.isEmpty());
            if (known.isEmpty() && files.isEmpty()) {
                throw new StateRefused(
                    "The reference data " + name + " have no file: there is nothing at " + input.get("path").asText()
                    + ".");
            }
            for (Known file : files) {
                add(all, input, file, before.clocks().watermark, now);
            }
        }
        return all;
    }

    private void add(List<Version.Reference> all, JsonNode input, Known file, long watermark, long now)
        throws IOException {
        String name = input.get("name").asText();
        long last = Long.MIN_VALUE;
        boolean isFirst = true;
        for (Version.Reference known : all) {
            if (known.input().equals(name)) {
                if (known.source().equals(file.source)) {
                    return;
                }
                last = Math.max(last, known.effective());
                isFirst = false;
            }
        }
        boolean isDated = isDated(input);
        if (isDated && !isFirst && file.from <= last) {
            return;
        }
        long changed = isDated ? file.from
            : java.nio.file.Files.getLastModifiedTime(file.path).toMillis() * Datetime.TICKS_PER_MILLISECOND;
        if (!isFirst && !isDated && now - changed < SETTLED_MILLIS * Datetime.TICKS_PER_MILLISECOND) {
            return;
        }
        long effective = isFirst ? isDated ? file.from : Long.MIN_VALUE
            : Math.max(changed, Math.max(watermark, last + 1));
        List<Record> rows = rows(input, file.path);
        String fileName = "reference-" + all.size() + "-" + Long.toHexString(System.nanoTime());
        try (StateFile.Writer to = new StateFile.Writer(folder, fileName)) {
            ReferenceData.write(to, rows);
            all.add(new Version.Reference(name, effective, file.source, to.keep()));
        }
    }

    private List<Record> rows(JsonNode input, Path file) throws IOException {
        Admission admission = Admission.of(job.plan(), input.get("name").asText(), job.functions());
        String format = input.get("format").asText();
        List<Record> rows = new ArrayList<>();
        try (Records records = Files.records(file, format, input.path("delimiter").textValue(), 0, -1)) {
            while (records.next()) {
                try {
                    rows.add(admission.checked(records.record(), format.equals("csv")));
                } catch (BadEvent dropped) {
                    // As the service does with a row that it cannot read.
                    continue;
                }
            }
        }
        return rows;
    }

    private static boolean isDated(JsonNode input) {
        String path = input.get("path").asText();
        return path.contains("{date}") || path.contains("{time}");
    }

    private static List<Known> files(JsonNode input, long start, boolean isFirst) throws IOException {
        String pattern = input.get("path").asText();
        if (!isDated(input)) {
            Path file = Path.of(pattern);
            if (!java.nio.file.Files.isRegularFile(file)) {
                return List.of();
            }
            String source = file + "@" + java.nio.file.Files.getLastModifiedTime(file) + ":"
                + java.nio.file.Files.size(file);
            return List.of(new Known(file, Long.MIN_VALUE, source));
        }
        List<Known> dated = dated(pattern, input.get("date_format").asText(), input.get("time_format").asText());
        if (isFirst) {
            // The newest one at the start, and what comes later.
            long newest = dated.stream().mapToLong(Known::from).filter(from -> from <= start).max()
                .orElse(Long.MIN_VALUE);
            dated.removeIf(file -> file.from < newest);
        }
        return dated;
    }

    private static List<Known> dated(String pattern, String dateFormat, String timeFormat) throws IOException {
        String parts = pattern.replace("{date}", dateFormat).replace("{time}", timeFormat);
        int fixed = pattern.lastIndexOf('/', pattern.indexOf('{'));
        Path root = Path.of(fixed < 0 ? "." : pattern.substring(0, fixed + 1));
        List<Known> known = new ArrayList<>();
        if (!java.nio.file.Files.isDirectory(root)) {
            return known;
        }
        List<String> groups = new ArrayList<>();
        Pattern shape = shape(pattern, dateFormat, timeFormat, groups);
        int depth = (int) parts.chars().filter(letter -> letter == '/').count() + 1;
        try (Stream<Path> files = java.nio.file.Files.walk(root, depth)) {
            files.filter(java.nio.file.Files::isRegularFile).forEach(file -> {
                Matcher matcher = shape.matcher(file.toString().replace('\\', '/'));
                if (matcher.matches()) {
                    try {
                        known.add(new Known(file, moment(matcher, groups), file.toString()));
                    } catch (DateTimeException none) {
                        // No day or hour of these numbers.
                        return;
                    }
                }
            });
        } catch (UncheckedIOException error) {
            throw error.getCause();
        }
        known.sort(Comparator.comparingLong(Known::from));
        return known;
    }

    /** A pattern whose groups are the numbers of a path's moment, named in {@code groups}. */
    private static Pattern shape(String pattern, String dateFormat, String timeFormat, List<String> groups) {
        StringBuilder shape = new StringBuilder();
        for (String piece : pattern.split("(?=\\{date\\}|\\{time\\})|(?<=\\{date\\}|\\{time\\})")) {
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
                String name = letters.group().toLowerCase(java.util.Locale.ROOT);
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
