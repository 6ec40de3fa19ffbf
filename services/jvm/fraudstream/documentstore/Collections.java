package fraudstream.documentstore;

import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.h2.H2Database;
import java.util.List;
import org.h2.mvstore.MVStore;

/** A database whose new collections and indexes have the formats of {@link Documents}. */
final class Collections extends H2Database {
    // Null while the library's constructor opens what was there before, which is open by then.
    private final MVStore store;

    Collections(String name, MVStore store, CursorRegistry cursors) {
        super(name, store, cursors);
        this.store = store;
    }

    @Override
    protected MongoCollection<Object> openOrCreateCollection(String collection, CollectionOptions options) {
        if (store != null) {
            Documents.open(store, Documents.DATABASES + getFullCollectionNamespace(collection));
        }
        return super.openOrCreateCollection(collection, options);
    }

    @Override
    protected Index<Object> openOrCreateUniqueIndex(
        String collection, String index, List<IndexKey> keys, boolean sparse) {
        if (store != null) {
            Documents.open(store, getFullCollectionNamespace(collection) + Documents.INDEX + index);
        }
        return super.openOrCreateUniqueIndex(collection, index, keys, sparse);
    }
}
