package fraudstream.query.live;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.NoSuchElementException;

/** An iterator over what is read piece by piece. */
abstract class Ahead<T> implements Iterator<T> {
    private T next;
    private boolean isRead;

    /** The next element, or null at the end, after which it is not asked again. */
    protected abstract T read() throws IOException;

    @Override
    public final boolean hasNext() {
        if (!isRead) {
            try {
                next = read();
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
            isRead = true;
        }
        return next != null;
    }

    @Override
    public final T next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        isRead = false;
        return next;
    }
}
