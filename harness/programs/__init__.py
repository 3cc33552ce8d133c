"""Programs beside the adapters: how one is started, what it asks and is asked, and what that means for a cell."""
