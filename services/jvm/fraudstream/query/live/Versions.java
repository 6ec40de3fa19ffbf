package fraudstream.query.live;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Stream;
import java.util.zip.CRC32;

/**
 * The versions of a query's state in its folder: {@code query.json} says whose it is, {@code <number>.version} names
 * the files of a version, {@code <number>.batch} what a batch was begun with, so that a repetition begins alike.
 */
final class Versions {
    private static final int FORMAT = 1;

    private final LiveJob job;
    private final Path folder;
    private final Path state;
    /** Tells the checkpoint from any other, one in the same folder before it included. */
    final String checkpoint;
    final int parts;

    private Versions(LiveJob job, String checkpoint, int parts) {
        this.job = job;
        this.checkpoint = checkpoint;
        this.parts = parts;
        folder = Path.of(job.folder());
        state = folder.resolve("state");
    }

    /** Those of the job's folder, which a new query gets. Throws {@link StateRefused} where it is another query's. */
    static Versions of(LiveJob job) throws IOException {
        Path file = Path.of(job.folder(), "query.json");
        if (!Files.exists(file)) {
            Versions versions = new Versions(job, UUID.randomUUID().toString(), job.parts());
            versions.write("query.json", LiveJob.MAPPER.createObjectNode().put("format", FORMAT)
                .put("checkpoint", versions.checkpoint).put("query", job.fingerprint()).put("parts", versions.parts));
            return versions;
        }
        JsonNode known = read(file);
        if (known.path("format").asInt() != FORMAT) {
            throw new StateRefused("The state in " + job.folder() + " is of another version of this program.");
        }
        if (!known.path("query").asText().equals(job.fingerprint())) {
            throw new StateRefused("The query, or what an input is bound to, is not that of the checkpoint.");
        }
        return new Versions(job, known.get("checkpoint").asText(), known.get("parts").asInt());
    }

    /** The state after so many batches. Throws {@link StateRefused} where it is missing or torn. */
    Version of(long number) throws IOException {
        for (Path file : list(folder)) {
            String name = file.getFileName().toString();
            if (name.endsWith(".version") && Long.parseLong(name.substring(0, name.indexOf('.'))) > number + 1) {
                throw new StateRefused(
                    "The state is ahead of Spark's files: " + file + " is there, and batch " + number + " comes next.");
            }
        }
        if (number == 0) {
            return Version.first(parts);
        }
        Version version;
        try {
            version = Version.of(read(folder.resolve(number + ".version")));
        } catch (RuntimeException broken) {
            throw broken instanceof StateRefused ? broken : new StateRefused(
                "The state file " + folder.resolve(number + ".version") + " is torn.");
        }
        if (version.number() != number || version.parts().size() != parts) {
            throw new StateRefused("The state file " + folder.resolve(number + ".version") + " is another one's.");
        }
        return version;
    }

    /** What a batch begins with: as the first attempt at it began, if there was one. */
    Batch begin(Version before, long start, long now) throws IOException {
        Path file = folder.resolve(before.number() + ".batch");
        ObjectNode begun;
        if (Files.exists(file)) {
            begun = (ObjectNode) read(file);
        } else {
            List<Version.Reference> references = new ReferenceFiles(job, state).now(before, start, now);
            begun = LiveJob.MAPPER.createObjectNode().put("processed", now);
            begun.set("references", Version.toJson(references));
            write(before.number() + ".batch", begun);
        }
        return new Batch(
            job, checkpoint, before, Version.references(begun.get("references")), begun.get("processed").asLong(),
            OffsetLog.moved(job, before.number()));
    }

    /** Keeps a version, and deletes what only versions before {@code oldest} need. */
    void keep(Version version, Version oldest) throws IOException {
        write(version.number() + ".version", version.toJson());
        Set<String> needed = new TreeSet<>(version.files());
        needed.addAll(oldest.files());
        deleteBut(state, needed);
        Set<String> own = Set.of(
            "query.json", "state", version.number() + ".version", oldest.number() + ".version",
            oldest.number() + ".batch");
        deleteBut(folder, own);
        deleteAll(folder.resolve("out"));
    }

    private static void deleteBut(Path folder, Set<String> needed) throws IOException {
        for (Path file : list(folder)) {
            if (!needed.contains(file.getFileName().toString()) && Files.isRegularFile(file)) {
                Files.deleteIfExists(file);
            }
        }
    }

    private static void deleteAll(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        for (Path file : list(folder)) {
            if (Files.isDirectory(file)) {
                deleteAll(file);
            } else {
                Files.deleteIfExists(file);
            }
        }
        Files.deleteIfExists(folder);
    }

    private static List<Path> list(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return new ArrayList<>(files.toList());
        }
    }

    /** The content and its checksum, as two lines. */
    private void write(String name, ObjectNode content) throws IOException {
        Files.createDirectories(folder);
        String text = content.toString();
        Path partial = folder.resolve(name + ".part");
        Files.writeString(partial, text + "\n" + checksum(text) + "\n");
        Files.move(partial, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private static JsonNode read(Path file) throws IOException {
        String[] lines;
        try {
            lines = Files.readString(file).split("\n", -1);
        } catch (NoSuchFileException missing) {
            throw new StateRefused("The state file " + file + " is missing.");
        }
        if (lines.length != 3 || !lines[1].equals(checksum(lines[0]))) {
            throw new StateRefused("The state file " + file + " is torn.");
        }
        return LiveJob.read(lines[0]);
    }

    private static String checksum(String text) {
        CRC32 sum = new CRC32();
        sum.update(text.getBytes(StandardCharsets.UTF_8));
        return Long.toHexString(sum.getValue());
    }
}
