namespace EdgeDm.DeviceManagement.Host;

/// <summary>What the host has committed, as last read from it.</summary>
internal sealed class InstalledUpdate(HostAccessClient host)
{
    private volatile string? id;

    /// <summary>JSON text of the update id; null when nothing is committed or nothing was read yet.</summary>
    public string? Id => id;

    /// <summary>Something else is installed than before.</summary>
    public event Action? Changed;

    /// <summary>Reads it, waiting until a HostAccess answers that is understood.</summary>
    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        var inventory = await host.UntilAnsweredAsync(
            host.GetInventoryAsync,
            cancellationToken,
            waits: _ => { } // __deviceSchemas tells it.
        );
        var read = inventory.InstalledUpdates.IsDefaultOrEmpty ? null : inventory.InstalledUpdates[0];
        if (read != id)
        {
            id = read;
            Changed?.Invoke();
        }
    }
}
