namespace EdgeDm.ModuleHost;

/// <summary>The ids of the last messages, to tell repeats: delivery is at least once.</summary>
internal sealed class SeenMessages(int capacity)
{
    private readonly HashSet<string> ids = [];
    private readonly Queue<string> order = new();

    public bool Contains(string id) => ids.Contains(id);

    /// <summary>Remembers an id and forgets the oldest beyond the capacity.</summary>
    public void Add(string id)
    {
        if (!ids.Add(id))
        {
            return;
        }
        order.Enqueue(id);
        if (order.Count > capacity)
        {
            ids.Remove(order.Dequeue());
        }
    }
}
