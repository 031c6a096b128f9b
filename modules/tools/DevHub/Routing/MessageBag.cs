using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace EdgeDm.DevHub.Routing;

/// <summary>
/// Properties of a message, in the ordinal order of their names. Never changes. A message has few of them and is made for one way, so they stand in
/// an array.
/// </summary>
public sealed class MessageBag : IEnumerable<KeyValuePair<string, string>>
{
    /// <summary>No properties.</summary>
    public static readonly MessageBag Empty = new([]);

    private readonly KeyValuePair<string, string>[] entries;

    private MessageBag(KeyValuePair<string, string>[] entries)
    {
        this.entries = entries;
        foreach (var (name, value) in entries)
        {
            Size += name.Length + value.Length;
        }
    }

    /// <summary>Number of properties.</summary>
    public int Count => entries.Length;

    /// <summary>Characters of all names and values.</summary>
    public long Size { get; }

    /// <summary>In the order of the names.</summary>
    public ReadOnlySpan<KeyValuePair<string, string>> Entries => entries;

    /// <summary>These properties; of equal names the last counts.</summary>
    public static MessageBag Of(IEnumerable<KeyValuePair<string, string>> properties)
    {
        var builder = new Builder();
        foreach (var (name, value) in properties)
        {
            builder.Set(name, value);
        }
        return builder.Build();
    }

    /// <summary>The property's value, or null when it is not there.</summary>
    public string? this[string name]
    {
        get
        {
            var at = PlaceOf(entries, name);
            return at >= 0 ? entries[at].Value : null;
        }
    }

    /// <summary>True when the property is there.</summary>
    public bool TryGetValue(string name, [NotNullWhen(true)] out string? value) => (value = this[name]) is not null;

    /// <summary>The same with one property set.</summary>
    public MessageBag With(string name, string value)
    {
        var builder = new Builder(entries);
        builder.Set(name, value);
        return builder.Build();
    }

    /// <summary>The same without some properties.</summary>
    public MessageBag Without(params ReadOnlySpan<string> names)
    {
        var left = new List<KeyValuePair<string, string>>(entries.Length);
        foreach (var entry in entries)
        {
            if (!names.Contains(entry.Key))
            {
                left.Add(entry);
            }
        }
        return new([.. left]);
    }

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() =>
        ((IEnumerable<KeyValuePair<string, string>>)entries).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    // As of Array.BinarySearch: the complement of where it would stand when it is not there.
    private static int PlaceOf(ReadOnlySpan<KeyValuePair<string, string>> entries, string name)
    {
        var (low, high) = (0, entries.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            switch (string.CompareOrdinal(entries[middle].Key, name))
            {
                case 0:
                    return middle;
                case < 0:
                    low = middle + 1;
                    break;
                default:
                    high = middle - 1;
                    break;
            }
        }
        return ~low;
    }

    /// <summary>Properties as they come in.</summary>
    public sealed class Builder
    {
        private readonly List<KeyValuePair<string, string>> entries;

        /// <summary>Begins without properties.</summary>
        public Builder() => entries = [];

        internal Builder(IEnumerable<KeyValuePair<string, string>> sorted) => entries = [.. sorted];

        /// <summary>Sets a property, whether it was there or not.</summary>
        public void Set(string name, string value)
        {
            var at = PlaceOf(CollectionsMarshal.AsSpan(entries), name);
            if (at >= 0)
            {
                entries[at] = new(name, value);
            }
            else
            {
                entries.Insert(~at, new(name, value));
            }
        }

        /// <summary>What was set.</summary>
        public MessageBag Build() => entries.Count == 0 ? Empty : new([.. entries]);
    }
}
