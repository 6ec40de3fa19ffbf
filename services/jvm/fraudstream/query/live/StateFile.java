package fraudstream.query.live;

import java.io.BufferedOutputStream;
import java.io.ByteArrayInputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.zip.CRC32;
import java.util.zip.CheckedOutputStream;

/**
 * A file of a query's state: its name in the state's folder, its length, and the checksum of its content. A file is
 * either there and whole, or refused.
 */
record StateFile(String name, long bytes, long checksum) implements Serializable {
    private static final int BUFFER = 1 << 16;

    /** Writes a file, which is there once it is {@link #keep kept}, and is gone otherwise. */
    static final class Writer implements Closeable {
        private final Path folder;
        private final String name;
        private final Path partial;
        private final CheckedOutputStream checked;
        final DataOutputStream out;

        Writer(Path folder, String name) throws IOException {
            this.folder = folder;
            this.name = name;
            partial = folder.resolve(name + ".part");
            Files.createDirectories(folder);
            checked = new CheckedOutputStream(Files.newOutputStream(partial), new CRC32());
            out = new DataOutputStream(new BufferedOutputStream(checked, BUFFER));
        }

        StateFile keep() throws IOException {
            out.close();
            Files.move(partial, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING);
            return new StateFile(name, out.size(), checked.getChecksum().getValue());
        }

        @Override
        public void close() throws IOException {
            out.close();
            Files.deleteIfExists(partial);
        }
    }

    /** The content. Throws {@link StateRefused} where it is not what was written. */
    DataInputStream open(Path folder) throws IOException {
        Path file = folder.resolve(name);
        byte[] content;
        try {
            content = Files.readAllBytes(file);
        } catch (NoSuchFileException missing) {
            throw new StateRefused("The state file " + file + " is missing.");
        }
        CRC32 found = new CRC32();
        found.update(content);
        if (content.length != bytes || found.getValue() != checksum) {
            throw new StateRefused(
                "The state file " + file + " is torn: it has " + content.length + " bytes, and " + bytes
                + " were written.");
        }
        return new DataInputStream(new ByteArrayInputStream(content));
    }
}
